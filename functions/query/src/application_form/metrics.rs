//! How wide characters are in STSong-Light, the song face that every PDF reader knows by name.

/// The widths of U+0020 to U+007E, in thousandths of the size; glyphs 1 to 95 of Adobe-GB1. All others are 1000.
pub const ASCII_WIDTHS: [u16; 95] = [
    207, 270, 342, 467, 462, 797, 710, 239, 374, 374, 423, 605, 238, 375, 238, 334, // space to /
    462, 462, 462, 462, 462, 462, 462, 462, 462, 462, 238, 238, 605, 605, 605, 344, // 0 to ?
    748, 684, 560, 695, 739, 563, 511, 729, 793, 318, 312, 666, 526, 896, 758, 772, // @ to O
    544, 772, 628, 465, 607, 753, 711, 972, 647, 620, 607, 374, 333, 374, 606, 500, // P to _
    239, 417, 503, 427, 529, 415, 264, 444, 518, 241, 230, 495, 228, 793, 527, 524, // ` to o
    524, 504, 338, 336, 277, 517, 450, 652, 466, 452, 407, 370, 258, 370, 605, // p to ~
];

/// The width of a character, in thousandths of the size.
pub fn width(character: char) -> u32 {
    usize::try_from(u32::from(character).wrapping_sub(0x20))
        .ok()
        .and_then(|place| ASCII_WIDTHS.get(place))
        .map_or(1000, |width| u32::from(*width))
}

/// Breaks `text` into lines of at most `limit` thousandths of the size. Chinese is broken anywhere.
pub fn lines(text: &str, limit: u32) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for character in text.chars() {
        let width = width(character);
        if used + width > limit && used > 0 {
            lines.push(String::new());
            used = 0;
        }
        used += width;
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{lines, width};

    #[test]
    fn latin_is_narrower_than_chinese() {
        assert_eq!(width(' '), 207);
        assert_eq!(width('~'), 605);
        assert_eq!(width('章'), 1000);
        assert_eq!(width('\u{7f}'), 1000);
    }

    #[test]
    fn lines_hold_what_fits_and_lose_nothing() {
        assert_eq!(lines("证书申请表", 2000), ["证书", "申请", "表"]);
        assert_eq!(lines("", 2000), [""]);
        assert_eq!(lines("章", 10), ["章"]);
        assert_eq!(lines("a1b2", 970), ["a1", "b2"]);
    }
}
