//! Draws a captcha: sheared characters of different sizes on noise, as a grey PNG.
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};
use rand_core::CryptoRng;

use super::below;

const WIDTH: i32 = 160;
const HEIGHT: i32 = 60;
/// Glyphs are 5 dots wide and 7 dots high.
const GLYPH_WIDTH: i32 = 5;
const GLYPH_HEIGHT: i32 = 7;
/// Shears are in parts of this.
const UNIT: i32 = 256;
const NOISE_LINES: usize = 4;
const NOISE_DOTS: usize = 350;

/// The picture of `text`, PNG.
pub fn draw(text: &str, rng: &mut impl CryptoRng) -> Result<Vec<u8>, ImageError> {
    let mut canvas = Canvas::new();
    let count = i32::try_from(text.len()).unwrap_or(1).max(1);
    for (place, character) in (0..count).zip(text.chars()) {
        let pitch = (WIDTH - 20) / count;
        let x = 10 + pitch / 2 + pitch * place + between(rng, -3, 3);
        let y = HEIGHT / 2 + between(rng, -6, 6);
        canvas.character(character, x, y, rng);
    }
    for _ in 0..NOISE_LINES {
        let start = (between(rng, 0, WIDTH / 3), between(rng, 0, HEIGHT));
        let end = (between(rng, WIDTH * 2 / 3, WIDTH), between(rng, 0, HEIGHT));
        canvas.line(start, end, shade(rng));
    }
    for _ in 0..NOISE_DOTS {
        let (x, y) = (between(rng, 0, WIDTH), between(rng, 0, HEIGHT));
        canvas.plot(x, y, shade(rng));
    }
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(
        &canvas.shades,
        WIDTH.unsigned_abs(),
        HEIGHT.unsigned_abs(),
        ExtendedColorType::L8,
    )?;
    Ok(png)
}

struct Canvas {
    shades: Vec<u8>,
}

impl Canvas {
    fn new() -> Self {
        const PAPER: u8 = 244;
        Canvas {
            shades: [PAPER].repeat((WIDTH * HEIGHT).unsigned_abs() as usize),
        }
    }

    /// What lies outside is not drawn.
    fn plot(&mut self, x: i32, y: i32, shade: u8) {
        if (0..WIDTH).contains(&x) && (0..HEIGHT).contains(&y) {
            self.shades[(y * WIDTH + x).unsigned_abs() as usize] = shade;
        }
    }

    /// Draws around a centre: each point of the paper asks which dot of the glyph it shows.
    fn character(&mut self, character: char, x: i32, y: i32, rng: &mut impl CryptoRng) {
        let rows = glyph(character);
        let (wide, high) = (between(rng, 5, 6), between(rng, 5, 7));
        // To the side by height, and up or down by width.
        let (lean, tilt) = (
            between(rng, -UNIT / 4, UNIT / 4),
            between(rng, -UNIT / 8, UNIT / 8),
        );
        let ink = shade(rng);
        for down in -HEIGHT / 2..HEIGHT / 2 {
            for right in -WIDTH / 6..WIDTH / 6 {
                let across = right + down * lean / UNIT;
                let below = down + right * tilt / UNIT;
                let column = (across + GLYPH_WIDTH * wide / 2).div_euclid(wide);
                let row = (below + GLYPH_HEIGHT * high / 2).div_euclid(high);
                if is_inked(rows, column, row) {
                    self.plot(x + right, y + down, ink);
                }
            }
        }
    }

    /// A line from left to right.
    fn line(&mut self, (x1, y1): (i32, i32), (x2, y2): (i32, i32), shade: u8) {
        let length = (x2 - x1).max(1);
        for step in 0..=length {
            let y = y1 + (y2 - y1) * step / length;
            self.plot(x1 + step, y, shade);
        }
    }
}

fn is_inked(rows: [u8; 7], column: i32, row: i32) -> bool {
    if !(0..GLYPH_WIDTH).contains(&column) {
        return false;
    }
    usize::try_from(row)
        .ok()
        .and_then(|row| rows.get(row))
        .is_some_and(|bits| bits >> (GLYPH_WIDTH - 1 - column) & 1 == 1)
}

/// A dark shade.
fn shade(rng: &mut impl CryptoRng) -> u8 {
    u8::try_from(between(rng, 20, 100)).unwrap_or_default()
}

/// A random number from `low` to `high`, both included.
fn between(rng: &mut impl CryptoRng, low: i32, high: i32) -> i32 {
    let width = usize::try_from(high - low + 1).unwrap_or(1);
    low + i32::try_from(below(rng, width)).unwrap_or_default()
}

/// Seven rows of five bits, the left dot highest.
fn glyph(character: char) -> [u8; 7] {
    match character {
        'A' => [0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
        'C' => [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e],
        'D' => [0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e],
        'E' => [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
        'F' => [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10],
        'H' => [0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11],
        'J' => [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c],
        'K' => [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11],
        'L' => [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f],
        'M' => [0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11],
        'N' => [0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11],
        'P' => [0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10],
        'R' => [0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11],
        'T' => [0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
        'U' => [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e],
        'W' => [0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0a],
        'X' => [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11],
        'Y' => [0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04],
        '4' => [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
        '6' => [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
        '7' => [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
        '9' => [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
        _ => [0; 7],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use yinxin_store::vault::rng;

    use super::super::ALPHABET;
    use super::{draw, glyph};

    #[test]
    fn every_character_has_a_glyph_of_its_own() {
        let glyphs: HashSet<[u8; 7]> = ALPHABET.iter().map(|byte| glyph(char::from(*byte))).collect();
        assert_eq!(glyphs.len(), ALPHABET.len());
        assert!(!glyphs.contains(&[0; 7]));
    }

    #[test]
    fn the_picture_is_a_png_that_differs_each_time() {
        let first = draw("K7MP", &mut rng()).unwrap();
        let second = draw("K7MP", &mut rng()).unwrap();
        assert_ne!(first, second);
        let picture = image::load_from_memory(&first).unwrap();
        assert_eq!((picture.width(), picture.height()), (160, 60));
    }
}
