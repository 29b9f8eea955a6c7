//! Text inside HTML.

/// Text as it may stand between tags and inside quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            other => written.push(other),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_html_would_read_is_written_out() {
        assert_eq!(
            escaped(r#"<a href="x">A&B's</a>"#),
            "&lt;a href=&quot;x&quot;&gt;A&amp;B&#39;s&lt;/a&gt;"
        );
        assert_eq!(escaped("가게 ☕"), "가게 ☕");
    }
}
