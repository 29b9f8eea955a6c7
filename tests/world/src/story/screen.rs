//! The terminal on which a story is told: who does something, and what a phone shows. At most 100 columns, colours
//! only where a person looks.

use std::io::{self, IsTerminal, Stdout, Write};

/// Columns of a line.
const COLUMNS: usize = 100;
/// Columns before what someone does.
const INDENT: usize = 19;

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
const CYAN: &str = "36";

/// How a line of a phone's screen is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Good news.
    Good,
    /// A refusal.
    Bad,
    /// Beside the point.
    Aside,
}

/// Where a story is told. Every line is shown at once.
pub struct Screen<W> {
    out: W,
    colours: bool,
}

impl Screen<Stdout> {
    /// Standard output: with colours on a terminal, unless `NO_COLOR` is set (no-color.org).
    pub fn stdout() -> Self {
        let out = io::stdout();
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colours = out.is_terminal() && !unwanted;
        Self { out, colours }
    }
}

impl<W: Write> Screen<W> {
    /// The headline of it all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn title(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(BOLD, text);
        self.line(&text)
    }

    /// The headline of a chapter.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn chapter(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(BOLD, text);
        self.line("")?;
        self.line(&text)
    }

    /// Someone does something.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn does(&mut self, who: &str, text: &str) -> io::Result<()> {
        let mut name = format!("  {}{}", self.paint(CYAN, who), pad(INDENT - 2 - width(who).min(INDENT - 3)));
        for part in wrap(text, COLUMNS - INDENT) {
            self.line(&format!("{name}{part}"))?;
            name = pad(INDENT);
        }
        Ok(())
    }

    /// A phone shows something.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn shows(&mut self, tone: Tone, text: &str) -> io::Result<()> {
        let bar = self.paint(DIM, "│");
        for part in wrap(text, COLUMNS - INDENT - 2) {
            let part = match tone {
                Tone::Plain => part,
                Tone::Good => self.paint(GREEN, &part),
                Tone::Bad => self.paint(RED, &part),
                Tone::Aside => self.paint(DIM, &part),
            };
            self.line(&format!("{}{bar} {part}", pad(INDENT)))?;
        }
        Ok(())
    }

    /// A remark of whoever tells.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn remark(&mut self, text: &str) -> io::Result<()> {
        for part in wrap(text, COLUMNS - 2) {
            self.line(&format!("  {}", self.paint(DIM, &part)))?;
        }
        Ok(())
    }

    /// A row of a table: a name, and cells of 16 columns, flush right but for the last.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn row(&mut self, name: &str, cells: [&str; 3]) -> io::Result<()> {
        const CELL: usize = 16;
        let [first, second, last] = cells;
        let flush = |cell: &str| format!("{}{cell}", pad(CELL.saturating_sub(width(cell))));
        let name = format!("  {}{}", self.paint(CYAN, name), pad((INDENT - 2).saturating_sub(width(name))));
        self.line(format!("{name}{}{}   {last}", flush(first), flush(second)).trim_end())
    }

    /// What to type, and what it does.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn hint(&mut self, what: &str, command: &str) -> io::Result<()> {
        self.line(&format!("  {}", self.paint(DIM, what)))?;
        self.line(&format!("    {command}"))
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn pad(columns: usize) -> String {
    " ".repeat(columns)
}

/// Columns that a text takes on a terminal: Korean letters take two.
fn width(text: &str) -> usize {
    let wide =
        |letter: char| matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '가'..='힣');
    text.chars().map(|letter| if wide(letter) { 2 } else { 1 }).sum()
}

/// Lines of at most so many columns, broken between words and indented alike; a longer word stands alone.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let words = text.trim_start();
    let indent = &text[..text.len() - words.len()];
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words.split(' ') {
        if !line.is_empty() && width(&line) + 1 + width(word) > columns {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(if line.is_empty() { indent } else { " " });
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_by_columns_and_korean_letters_take_two() {
        assert_eq!(width("골목 1"), 6);
        assert_eq!(wrap("가나 다라 abc", 9), ["가나 다라", "abc"]);
        assert_eq!(wrap("a-word-too-long b", 5), ["a-word-too-long", "b"]);
        assert_eq!(wrap("  ab cd", 5), ["  ab", "  cd"]);
    }

    #[test]
    fn a_pipe_gets_no_colours() {
        let told = |colours| {
            let mut screen = Screen { out: Vec::new(), colours };
            screen.does("Dawn Café", "opens").unwrap();
            screen.shows(Tone::Bad, "refused").unwrap();
            String::from_utf8(screen.out).unwrap()
        };
        assert_eq!(told(false), "  Dawn Café        opens\n                   │ refused\n");
        assert!(told(true).contains("\u{1b}[36mDawn Café\u{1b}[0m        opens"));
    }
}
