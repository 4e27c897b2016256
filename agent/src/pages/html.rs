//! Writing HTML: markup from this program, text from anywhere.

/// HTML in the making.
#[derive(Default)]
pub struct Html(String);

impl Html {
    /// Markup. Constants only: the lifetime says so.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, also in a quoted attribute. What would turn round or hide other characters is named.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for character in crate::operations::shown::visible(text.chars()).chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// A text in both languages.
    pub fn both(&mut self, chinese: &str, english: &str) -> &mut Self {
        self.raw("<span lang=\"zh\">")
            .text(chinese)
            .raw("</span> <span lang=\"en\">")
            .text(english)
            .raw("</span>")
    }

    /// A line of a table: a name in both languages, and a value.
    pub fn line(&mut self, chinese: &str, english: &str, value: &str) -> &mut Self {
        self.raw("<tr><th>")
            .both(chinese, english)
            .raw("</th><td>")
            .text(value)
            .raw("</td></tr>")
    }

    /// A button that calls the agent.
    pub fn button(
        &mut self,
        action: &'static str,
        form: &str,
        class: &'static str,
        chinese: &str,
        english: &str,
    ) -> &mut Self {
        self.raw("<button type=\"button\" data-action=\"")
            .raw(action)
            .raw("\" data-form=\"")
            .text(form)
            .raw("\" class=\"")
            .raw(class)
            .raw("\">")
            .both(chinese, english)
            .raw("</button>")
    }

    /// A field for a PIN.
    pub fn pin(&mut self, name: &'static str, chinese: &str, english: &str) -> &mut Self {
        self.raw("<label>")
            .both(chinese, english)
            .raw("<input type=\"password\" name=\"")
            .raw(name)
            .raw("\" maxlength=\"16\" required autocomplete=\"off\" spellcheck=\"false\"></label>")
    }

    /// A link to the portal, to a part of it.
    pub fn link(&mut self, portal: &str, part: &'static str, chinese: &str, english: &str) -> &mut Self {
        self.raw("<a class=\"button\" target=\"_blank\" rel=\"noopener noreferrer\" href=\"")
            .text(portal)
            .raw("#")
            .raw(part)
            .raw("\">")
            .both(chinese, english)
            .raw("</a>")
    }

    /// What has been written.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let mut html = Html::default();
        html.raw("<td>").text("<script>'\"&\u{202e}").raw("</td>");
        assert_eq!(
            html.into_string(),
            "<td>&lt;script&gt;&#39;&quot;&amp;‹U+202E›</td>"
        );
    }
}
