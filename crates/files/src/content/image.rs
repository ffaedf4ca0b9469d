//! Images: how large they would be, from their headers.

use std::fs::File;
use std::io::{BufReader, Seek as _, SeekFrom};

use image::ImageReader;

use super::{Judged, Refusal};

/// Pixels of an image at most. Each takes four bytes when it is opened.
const MOST_PIXELS: u64 = 100_000_000;

/// Refuses an image that has too many pixels, without opening it.
pub(super) fn measure(file: &mut File) -> Judged<()> {
    file.seek(SeekFrom::Start(0))?;
    let reader = ImageReader::new(BufReader::new(&mut *file)).with_guessed_format()?;
    let Ok((width, height)) = reader.into_dimensions() else {
        return Ok(Err(Refusal::Malformed("The image is damaged.")));
    };
    if width == 0 || height == 0 {
        return Ok(Err(Refusal::Malformed("The image is empty.")));
    }
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Ok(Err(Refusal::TooDense("The image has more than 100 million pixels.")));
    }
    Ok(Ok(()))
}
