//! Files to put in.

use std::io::{Cursor, Write as _};

use image::{ImageFormat, Rgb, RgbImage};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A PDF document of this length, none of which is like another.
pub(crate) fn pdf(length: usize) -> Vec<u8> {
    let mut content = b"%PDF-1.7\n".to_vec();
    let mut state: u32 = 1;
    while content.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        content.extend_from_slice(&state.to_be_bytes());
    }
    content.truncate(length);
    content
}

/// An image.
pub(crate) fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y % 256).unwrap(), 7]));
    let mut content = Cursor::new(Vec::new());
    image.write_to(&mut content, format).unwrap();
    content.into_inner()
}

/// An archive of these files.
pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An archive of one file of so many zeros.
pub(crate) fn zeros(length: usize) -> Vec<u8> {
    archive(&[("zeros", &vec![0; length])])
}

/// A container of Windows with one stream of this name.
pub(crate) fn container(stream: &str) -> Vec<u8> {
    let mut container = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    container.create_stream(stream).unwrap().write_all(&[1; 5000]).unwrap();
    container.into_inner().into_inner()
}

/// A Word document.
pub(crate) fn word() -> Vec<u8> {
    archive(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<document/>")])
}

/// An Excel workbook.
pub(crate) fn excel() -> Vec<u8> {
    archive(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")])
}
