//! A picture made small, under limits, and nothing of it but its pixels.

use std::io::{BufRead, Cursor, Seek};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, ImageResult, Limits};

/// Pixels of either side at most.
pub(super) const SIDE: u32 = 320;
/// Pixels of a picture that is opened, which is more than cameras of phones make. An upload may have more.
const MOST_PIXELS: u64 = 50_000_000;
/// Bytes that an opened picture takes: four for each pixel, so fewer pixels where each has more.
const MOST_BYTES: u64 = 4 * MOST_PIXELS;
/// The quality of a JPEG, of 100.
const QUALITY: u8 = 80;

/// A thumbnail.
#[derive(Debug)]
pub(super) struct Small {
    pub bytes: Vec<u8>,
    pub ending: &'static str,
}

/// Makes a picture small, its first frame where it has many; none where it cannot be read, or is too large. One that is small already
/// keeps its size. It is turned as its camera said, since that is said in the metadata, which is not taken over. What can be seen
/// through becomes a PNG, and everything else a JPEG.
pub(super) fn shrink(source: impl BufRead + Seek) -> Option<Small> {
    read(source).and_then(|picture| picture.map(|picture| write(&picture)).transpose()).unwrap_or_else(|error| {
        tracing::debug!(%error, "a picture cannot be read, and has no thumbnail");
        None
    })
}

fn read(source: impl BufRead + Seek) -> ImageResult<Option<DynamicImage>> {
    let mut reader = ImageReader::new(source).with_guessed_format()?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MOST_PIXELS || decoder.total_bytes() > MOST_BYTES {
        return Ok(None);
    }
    let orientation = decoder.orientation()?;
    let whole = DynamicImage::from_decoder(decoder)?;
    let mut small = if width > SIDE || height > SIDE { whole.thumbnail(SIDE, SIDE) } else { whole };
    small.apply_orientation(orientation);
    Ok(Some(small))
}

fn write(picture: &DynamicImage) -> ImageResult<Small> {
    let mut bytes = Cursor::new(Vec::new());
    if picture.color().has_alpha() {
        let colored = picture.to_rgba8();
        if colored.pixels().any(|pixel| pixel.0[3] < u8::MAX) {
            colored.write_to(&mut bytes, ImageFormat::Png)?;
            return Ok(Small { bytes: bytes.into_inner(), ending: "png" });
        }
    }
    picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
    Ok(Small { bytes: bytes.into_inner(), ending: "jpg" })
}
