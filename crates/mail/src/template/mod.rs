//! Templates: what a mail says, in text and in HTML, from the facts of a letter.
//!
//! A template can name facts and ask whether they are there ([`check`]). Each has three parts: the subject, the text, and the content
//! that stands in the common layout of HTML.

pub(crate) mod check;
mod defaults;

use std::collections::HashSet;

use kernel::{Error, Result};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use crate::face::Face;
use crate::language::Language;
use crate::letter::{Facts, MailKind, one_line};

/// Steps that a rendering may take. A template of the greatest length takes a tenth of them.
const FUEL: u64 = 1_000_000;
const LAYOUT: &str = include_str!("layout.html");

/// A template, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Whether a workspace wrote it: its HTML is cleaned.
    pub is_own: bool,
}

/// What a template became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Template {
    /// The one that comes with the program.
    pub fn usual(kind: MailKind, language: Language) -> Self {
        let (subject, text, html) = defaults::of(kind, language);
        Self { subject: subject.trim_end().to_owned(), text: text.to_owned(), html: html.to_owned(), is_own: false }
    }

    /// Renders it with facts.
    ///
    /// # Errors
    /// `internal` where it names what there is not.
    pub fn render(&self, facts: &Facts, face: &Face, language: Language) -> Result<Rendered> {
        let subject = one_line(&render("subject.txt", &self.subject, facts)?);
        let text = render("text.txt", &self.text, facts)?;
        let mut content = render("content.html", &self.html, facts)?;
        if self.is_own {
            content = clean(&content);
        }
        let mut around: std::collections::BTreeMap<&str, Value> =
            facts.iter().map(|(name, value)| (*name, Value::from(value.as_str()))).collect();
        around.insert("language", Value::from(language.as_str()));
        around.insert("subject", Value::from(subject.as_str()));
        around.insert("accent_color", Value::from(face.accent_color.as_str()));
        around.insert("footer", Value::from(defaults::footer(language)));
        around.insert("content", Value::from_safe_string(content));
        let html = environment()
            .render_named_str("layout.html", LAYOUT, Value::from_pairs(around))
            .map_err(|error| Error::internal(error.to_string()))?;
        let mut text = text.trim_end().to_owned();
        text.push_str(&format!("\n\n-- \n{}", one_line(&face.name)));
        if !face.tagline.is_empty() {
            text.push_str(&format!("\n{}", one_line(&face.tagline)));
        }
        text.push_str(&format!("\n{}\n", defaults::footer(language)));
        Ok(Rendered { subject, text, html })
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
    environment
}

fn render(name: &str, source: &str, facts: &Facts) -> Result<String> {
    let values = Value::from_pairs(facts.iter().map(|(name, value)| (*name, Value::from(value.as_str()))));
    environment().render_named_str(name, source, values).map_err(|error| Error::internal(error.to_string()))
}

/// What a workspace may write into a mail: text, its structure, and links. No pictures (they tell the sender that a mail was read), no
/// style, no script.
fn clean(html: &str) -> String {
    let tags =
        ["h1", "h2", "h3", "p", "br", "hr", "a", "strong", "em", "b", "i", "u", "small", "ul", "ol", "li", "blockquote", "code"];
    ammonia::Builder::empty()
        .tags(HashSet::from(tags))
        .add_tag_attributes("a", ["href"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .url_relative(ammonia::UrlRelative::Deny)
        .link_rel(None)
        .clean(html)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_typed_is_text_in_html_and_what_workspaces_wrote_holds_no_script() {
        let facts = Facts::from([("recipient_name", "<b>&\"x\"".to_owned()), ("link", "https://a.example/?a=1&b=2".to_owned())]);
        let template = Template {
            subject: "To {{ recipient_name }}".to_owned(),
            text: "{{ recipient_name }}".to_owned(),
            html: "<h1 onclick='x()'>{{ recipient_name }}</h1><script>x()</script><img src='https://t.example/x'>\
                   <a href=\"{{ link }}\" style='color:white'>l</a><a href='javascript:x()'>j</a>"
                .to_owned(),
            is_own: true,
        };
        let clean = super::clean(&render("content.html", &template.html, &facts).unwrap());
        assert_eq!(clean, "<h1>&lt;b&gt;&amp;\"x\"</h1><a href=\"https://a.example/?a=1&amp;b=2\">l</a><a>j</a>");
        assert_eq!(render("text.txt", &template.text, &facts).unwrap(), "<b>&\"x\"");
        assert!(render("text.txt", "{{ unknown }}", &facts).is_err());
    }
}
