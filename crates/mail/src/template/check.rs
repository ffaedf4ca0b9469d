//! What may stand in a template: `{{ name }}`, `{% if name %}`, `{% if not name %}`, `{% elif name %}`, `{% else %}`, `{% endif %}`, and
//! comments. What is not on this list is not looked at any closer: a language with loops and operators can be made to fill the memory
//! of a server in a line.

use kernel::error::Faults;
use minijinja::Environment;

use super::Template;
use crate::letter::MailKind;

/// Characters of a subject.
pub(crate) const SUBJECT: usize = 200;
/// Characters of a text or of the content of HTML.
pub(crate) const PART: usize = 30_000;

/// Notes everything that is wrong with a template, under the names of its parts.
pub(crate) fn check(kind: MailKind, template: &Template, faults: &mut Faults) {
    for (pointer, source, most) in
        [("/subject", &template.subject, SUBJECT), ("/text", &template.text, PART), ("/html", &template.html, PART)]
    {
        if source.trim().is_empty() {
            faults.add(pointer, "blank", "must not be blank");
            continue;
        }
        if source.chars().count() > most {
            faults.add(pointer, "too_long", format!("must be at most {most} characters"));
            continue;
        }
        check_part(kind, pointer, source, faults);
    }
}

fn check_part(kind: MailKind, pointer: &str, source: &str, faults: &mut Faults) {
    let names = match tags(source) {
        Ok(names) => names,
        Err((line, message)) => {
            faults.add(pointer, "template_syntax", format!("line {line}: {message}"));
            return;
        }
    };
    if let Err(error) = Environment::empty().template_from_named_str("x", source) {
        let (line, detail) = (error.line().unwrap_or(1), error.detail().unwrap_or("cannot be read"));
        faults.add(pointer, "template_syntax", format!("line {line}: {detail}"));
        return;
    }
    let known = kind.variables();
    let mut unknown: Vec<&str> = names.iter().copied().filter(|name| !known.contains(name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    for name in unknown {
        let short: String = name.chars().take(60).collect();
        faults.add(pointer, "unknown_variable", format!("there is no {short}; there are {}", known.join(", ")));
    }
    if pointer == "/subject" {
        for name in names.iter().filter(|name| kind.is_secret(name)) {
            faults.add(pointer, "secret_in_subject", format!("{name} must not stand in a subject, which is kept"));
        }
        return;
    }
    for needed in kind.needs().iter().filter(|needed| !shows(source, needed)) {
        faults.add(pointer, "variable_missing", format!("must show {needed}, without which the mail is of no use"));
    }
}

/// Whether a value is shown whatever the other facts are: outside of every `if`.
fn shows(source: &str, name: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = source;
    while let Some((kind, inside, after)) = next_tag(rest) {
        match (kind, inside.split_whitespace().next()) {
            ('%', Some("if")) => depth += 1,
            ('%', Some("endif")) => depth = depth.saturating_sub(1),
            ('{', Some(word)) if depth == 0 && word == name => return true,
            _ => {}
        }
        rest = after;
    }
    false
}

/// The next tag: what kind of, what is inside, and what comes after it. None where there is none, or it does not end.
fn next_tag(source: &str) -> Option<(char, &str, &str)> {
    let (at, kind, end) = [("{{", '{', "}}"), ("{%", '%', "%}"), ("{#", '#', "#}")]
        .into_iter()
        .filter_map(|(begin, kind, end)| Some((source.find(begin)?, kind, end)))
        .min_by_key(|(at, ..)| *at)?;
    let inside = source.get(at + 2..)?;
    let (inside, after) = inside.split_once(end)?;
    Some((kind, trimmed(inside), after))
}

/// Without the signs that take white space away.
fn trimmed(inside: &str) -> &str {
    inside.trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The names that a template uses; or the line and what is wrong there.
fn tags(source: &str) -> Result<Vec<&str>, (usize, &'static str)> {
    let mut names = Vec::new();
    let mut rest = source;
    loop {
        let line = |rest: &str| source.get(..source.len() - rest.len()).map_or(1, |before| before.matches('\n').count() + 1);
        let Some((kind, inside, after)) = next_tag(rest) else {
            let begins = ["{{", "{%", "{#"].iter().any(|begin| rest.contains(begin));
            return if begins { Err((line(rest), "something begins here and does not end")) } else { Ok(names) };
        };
        let at = line(after);
        let words: Vec<&str> = inside.split_whitespace().collect();
        match (kind, words.as_slice()) {
            ('#', _) | ('%', ["else" | "endif"]) => {}
            ('{', [name]) | ('%', ["if" | "elif", name] | ["if" | "elif", "not", name]) if is_name(name) => names.push(*name),
            _ => {
                return Err((
                    at,
                    "only {{ name }}, {% if name %}, {% if not name %}, {% elif name %}, {% else %} and {% endif %} can stand here",
                ));
            }
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn faults(kind: MailKind, subject: &str, text: &str, html: &str) -> Vec<(String, String)> {
        let template = Template { subject: subject.to_owned(), text: text.to_owned(), html: html.to_owned(), is_own: true };
        let mut faults = Faults::new();
        check(kind, &template, &mut faults);
        let Err(error) = faults.into_result() else { return Vec::new() };
        error.fields().iter().map(|field| (field.pointer.clone(), field.code.clone().into_owned())).collect()
    }

    fn codes(found: &[(String, String)]) -> Vec<(&str, &str)> {
        found.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect()
    }

    #[test]
    fn the_templates_of_the_program_are_right() {
        for kind in MailKind::ALL {
            for language in Language::ALL {
                let usual = Template::usual(kind, language);
                let mut found = Faults::new();
                check(kind, &usual, &mut found);
                assert!(found.into_result().is_ok(), "{kind:?} in {language:?}");
            }
        }
    }

    #[test]
    fn everything_that_is_wrong_is_found_at_once() {
        let found = faults(MailKind::Invitation, "{{ token }}", "{{ colour }} {{ colour }}", " ");
        assert_eq!(
            codes(&found),
            [("/subject", "secret_in_subject"), ("/text", "unknown_variable"), ("/text", "variable_missing"), ("/html", "blank"),]
        );
        let long = "x".repeat(PART + 1);
        let found = faults(MailKind::LockOut, &"s".repeat(SUBJECT + 1), &long, "{% if address %}x");
        assert_eq!(codes(&found), [("/subject", "too_long"), ("/text", "too_long"), ("/html", "template_syntax")]);
    }

    #[test]
    fn a_link_that_is_shown_only_sometimes_is_missing() {
        let found = faults(MailKind::PasswordReset, "x", "{% if recipient_name %}{{ link }}{% endif %}", "{{- link -}}");
        assert_eq!(codes(&found), [("/text", "variable_missing")]);
    }

    #[test]
    fn what_could_fill_the_memory_is_not_let_in() {
        for source in [
            "{% for x in range(9) %}{% endfor %}",
            "{{ 'a' * 1000000000 }}",
            "{% set x = link ~ link %}",
            "{{ link|indent(1000000000) }}",
            "{{ link.x }}",
            "{% macro m() %}{{ m() }}{% endmacro %}",
            "{% raw %}{% endraw %}",
            "{% include 'x' %}",
            "{{ self }} {{ loop() }}",
            "{{ link }",
            "{% if link == 'x' %}{% endif %}",
            "{% endif %}",
        ] {
            let found = faults(MailKind::LockOut, "x", source, "x");
            assert_eq!(found.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(), ["/text"], "{source}: {found:?}");
        }
    }
}
