//! Puts sections on A4 paper. The font is named and not embedded: readers have a song face for Adobe-GB1, and a
//! file that carries one would be megabytes large. ISO 32000-1, 9.7.5.2: `UniGB-UTF16-H` is predefined.
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo};
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::fields::Section;
use super::metrics::{ASCII_WIDTHS, lines, width};

/// A4 in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const LEFT: f32 = 48.0;
const TOP: f32 = 794.0;
const BOTTOM: f32 = 56.0;
/// From the left rim of the table to its right one.
const TABLE: f32 = 499.0;
const LABELS: f32 = 120.0;
const PADDING: f32 = 6.0;
const SIZE: f32 = 10.0;
const LEADING: f32 = 14.0;
/// Values are broken at so many thousandths of the size: the column without its padding, at 10 points.
const VALUE_LIMIT: u32 = 36_000;
/// Texts across the table are broken here.
const TEXT_LIMIT: u32 = 49_000;
const SONG: Name<'_> = Name(b"Song");
const FONT: Name<'_> = Name(b"STSong-Light");
const FONT_ENCODED: Name<'_> = Name(b"STSong-Light-UniGB-UTF16-H");
const GB1: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"GB1"),
    supplement: 4,
};

/// The PDF.
pub fn draw(title: &str, sections: &[Section], declaration: &str, footer: &str) -> Vec<u8> {
    let mut paper = Paper::new(footer);
    paper.title(title);
    for section in sections {
        paper.section(section);
    }
    paper.declaration(declaration);
    paper.finish(title)
}

/// Pages under the pen, which moves down.
struct Paper<'a> {
    pages: Vec<Content>,
    y: f32,
    footer: &'a str,
}

impl<'a> Paper<'a> {
    fn new(footer: &'a str) -> Self {
        let mut paper = Paper {
            pages: Vec::new(),
            y: TOP,
            footer,
        };
        paper.turn();
        paper
    }

    /// Begins a page.
    fn turn(&mut self) {
        let mut page = Content::new();
        page.set_line_width(0.6);
        self.pages.push(page);
        self.y = TOP;
        self.text(LEFT, BOTTOM - 24.0, 8.0, self.footer);
    }

    /// Turns the page where less than `height` is left.
    fn need(&mut self, height: f32) {
        if self.y - height < BOTTOM {
            self.turn();
        }
    }

    fn text(&mut self, x: f32, y: f32, size: f32, text: &str) {
        let encoded: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        if let Some(page) = self.pages.last_mut() {
            page.begin_text()
                .set_font(SONG, size)
                .next_line(x, y)
                .show(Str(&encoded))
                .end_text();
        }
    }

    fn rect(&mut self, x: f32, width: f32, height: f32) {
        let y = self.y - height;
        if let Some(page) = self.pages.last_mut() {
            page.rect(x, y, width, height).stroke();
        }
    }

    fn title(&mut self, title: &str) {
        const TITLE_SIZE: f32 = 18.0;
        let thousandths: u32 = title.chars().map(width).sum();
        let wide = f32::from(u16::try_from(thousandths).unwrap_or(u16::MAX)) / 1000.0 * TITLE_SIZE;
        self.text((PAGE.0 - wide) / 2.0, self.y, TITLE_SIZE, title);
        self.y -= 18.0;
    }

    fn section(&mut self, section: &Section) {
        const HEAD: f32 = 20.0;
        self.need(HEAD + LEADING + PADDING);
        self.y -= HEAD;
        self.text(LEFT, self.y + 5.0, 11.0, section.title);
        for (label, value) in &section.rows {
            self.row(label, value);
        }
    }

    fn row(&mut self, label: &str, value: &str) {
        let lines = lines(value, VALUE_LIMIT);
        let height = height_of(&lines);
        self.need(height);
        self.rect(LEFT, LABELS, height);
        self.rect(LEFT + LABELS, TABLE - LABELS, height);
        self.text(LEFT + PADDING, self.y - LEADING, SIZE, label);
        let mut y = self.y - LEADING;
        for line in &lines {
            self.text(LEFT + LABELS + PADDING, y, SIZE, line);
            y -= LEADING;
        }
        self.y -= height;
    }

    /// The declaration, with room to sign.
    fn declaration(&mut self, declaration: &str) {
        const ROOM_TO_SIGN: f32 = 40.0;
        let lines = lines(declaration, TEXT_LIMIT - 1_000);
        let height = height_of(&lines) + ROOM_TO_SIGN;
        self.need(height + PADDING);
        self.y -= PADDING;
        self.rect(LEFT, TABLE, height);
        let mut y = self.y - LEADING;
        for line in &lines {
            self.text(LEFT + PADDING, y, SIZE, line);
            y -= LEADING;
        }
        self.y -= height;
        self.text(LEFT + 190.0, self.y + 12.0, SIZE, "申请人签字（盖章）：");
        self.text(LEFT + 390.0, self.y + 12.0, SIZE, "日期：");
    }

    fn finish(self, title: &str) -> Vec<u8> {
        let [catalog, tree, info, font, cid_font, descriptor] = [1, 2, 3, 4, 5, 6].map(Ref::new);
        let ids: Vec<(Ref, Ref)> = (0..)
            .zip(&self.pages)
            .map(|(place, _)| (Ref::new(10 + 2 * place), Ref::new(11 + 2 * place)))
            .collect();
        let mut pdf = Pdf::new();
        pdf.catalog(catalog).pages(tree).lang(TextStr("zh-CN"));
        pdf.document_info(info).title(TextStr(title));
        pdf.pages(tree)
            .kids(ids.iter().map(|(page, _)| *page))
            .count(i32::try_from(ids.len()).unwrap_or(i32::MAX));
        for ((page_id, content_id), content) in ids.into_iter().zip(self.pages) {
            let mut page = pdf.page(page_id);
            page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1))
                .parent(tree)
                .contents(content_id);
            page.resources().fonts().pair(SONG, font);
            page.finish();
            pdf.stream(content_id, content.finish().as_slice());
        }
        pdf.type0_font(font)
            .base_font(FONT_ENCODED)
            .encoding_predefined(Name(b"UniGB-UTF16-H"))
            .descendant_font(cid_font);
        let mut song = pdf.cid_font(cid_font);
        song.subtype(CidFontType::Type0)
            .base_font(FONT)
            .system_info(GB1)
            .font_descriptor(descriptor)
            .default_width(1000.0);
        song.widths()
            .consecutive(1, ASCII_WIDTHS.iter().map(|width| f32::from(*width)));
        song.finish();
        pdf.font_descriptor(descriptor)
            .name(FONT)
            .flags(FontFlags::SERIF | FontFlags::SYMBOLIC)
            .bbox(Rect::new(-25.0, -254.0, 1000.0, 880.0))
            .italic_angle(0.0)
            .ascent(880.0)
            .descent(-120.0)
            .cap_height(880.0)
            .stem_v(93.0);
        pdf.finish()
    }
}

/// The height of a cell with these lines.
fn height_of(lines: &[String]) -> f32 {
    let count = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    f32::from(count) * LEADING + PADDING
}
