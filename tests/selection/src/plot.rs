//! Plots of what is reported, as SVG: bars with their intervals by town and rule, and calibration.

use std::fmt::Write as _;

use crate::report::{Figures, Part, Ratio, Section};

/// Colours that are told apart without colour vision too. (Okabe and Ito)
const COLOURS: [&str; 8] =
    ["#0072b2", "#e69f00", "#999999", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];
const WIDE: f64 = 960.0;
const HIGH: f64 = 420.0;
/// The frame's distance from the edges: left, top, right, bottom.
const FRAME: [f64; 4] = [56.0, 48.0, 16.0, 64.0];

/// All plots, by the names of their files.
pub fn all(sections: &[Section]) -> Vec<(&'static str, String)> {
    let won = |it: &Figures| Some(it.won);
    let gap = |it: &Figures| Some(it.gap);
    let tenth = |it: &Figures| Some(Ratio { value: it.tenth, give: 0.0 });
    let breakage = |it: &Figures| it.breakage.map(|value| Ratio { value, give: 0.0 });
    vec![
        (
            "won.svg",
            bars("Won, of what hindsight could have had (95 % intervals)", sections, (0.0, 1.0), &won),
        ),
        (
            "gap.svg",
            bars(
                "Share of the gap from highest rate to hindsight (95 % intervals)",
                sections,
                (-1.0, 0.75),
                &gap,
            ),
        ),
        ("p10.svg", bars("Won of hindsight, of the buyer at the first decile", sections, (0.0, 1.0), &tenth)),
        ("breakage.svg", bars("Earned and never used", sections, (0.0, 1.0), &breakage)),
        ("calibration.svg", calibration(sections)),
    ]
}

/// A picture that is being drawn.
struct Svg(String);

impl Svg {
    fn new(wide: f64, high: f64, title: &str) -> Self {
        let mut svg = Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
        ));
        svg.text(wide / 2.0, 20.0, "middle", title);
        svg
    }

    // Writing to a string cannot fail.
    fn line(&mut self, from: (f64, f64), to: (f64, f64), colour: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.0,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>"
        );
    }

    fn rect(&mut self, at: (f64, f64), size: (f64, f64), colour: &str) {
        let ((x, y), (wide, high)) = (at, size);
        let _ = writeln!(
            self.0,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\" fill=\"{colour}\"/>"
        );
    }

    fn dot(&mut self, x: f64, y: f64, colour: &str) {
        let _ = writeln!(self.0, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>");
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(self.0, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
    }

    fn done(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }
}

/// Bars of each rule in each sample, what lies beyond the scale cut off.
fn bars(
    title: &str,
    sections: &[Section],
    (low, high): (f64, f64),
    measure: &dyn Fn(&Figures) -> Option<Ratio>,
) -> String {
    let mut svg = Svg::new(WIDE, HIGH, title);
    let [left, top, right, bottom] = FRAME;
    let y = |value: f64| top + (high - value.clamp(low, high)) / (high - low) * (HIGH - top - bottom);
    let mut tick = low;
    while tick <= high + 1e-9 {
        svg.line(
            (left, y(tick)),
            (WIDE - right, y(tick)),
            if tick.abs() < 1e-9 { "#000000" } else { "#dddddd" },
        );
        svg.text(left - 6.0, y(tick) + 4.0, "end", &format!("{tick:.2}"));
        tick += 0.25;
    }
    let mut rules: Vec<&str> = Vec::new();
    for it in sections.iter().flat_map(|section| &section.figures) {
        if !rules.contains(&it.rule.as_str()) {
            rules.push(&it.rule);
        }
    }
    let group = (WIDE - left - right) / (sections.len() as f64).max(1.0);
    let bar = group * 0.86 / (rules.len() as f64).max(1.0);
    for (place, section) in sections.iter().enumerate() {
        let begin = left + group * (place as f64 + 0.07);
        svg.text(begin + group * 0.43, HIGH - bottom + 18.0, "middle", &section.name);
        for it in &section.figures {
            let Some(Ratio { value, give }) = measure(it) else { continue };
            let rule = rules.iter().position(|rule| *rule == it.rule).unwrap_or(0);
            let x = begin + bar * rule as f64;
            let (above, below) = (y(value.max(0.0)), y(value.min(0.0)));
            svg.rect((x, above), (bar * 0.9, below - above), COLOURS[rule % COLOURS.len()]);
            if give > 0.0 && value > low {
                let middle = x + bar * 0.45;
                svg.line((middle, y(value - give)), (middle, y(value + give)), "#000000");
                for end in [value - give, value + give] {
                    svg.line((middle - 2.5, y(end)), (middle + 2.5, y(end)), "#000000");
                }
            }
        }
    }
    legend(&mut svg, &rules);
    svg.done()
}

fn legend(svg: &mut Svg, names: &[&str]) {
    let step = (WIDE - FRAME[0]) / (names.len() as f64).max(1.0);
    for (place, name) in names.iter().enumerate() {
        let x = FRAME[0] + step * place as f64;
        svg.rect((x, HIGH - 26.0), (11.0, 11.0), COLOURS[place % COLOURS.len()]);
        svg.text(x + 16.0, HIGH - 16.0, "start", name);
    }
}

/// Predicted against realised, a point a tenth of the predictions, with the line on which they are equal.
fn calibration(sections: &[Section]) -> String {
    let title = "Use of a unit earned by Moa's choice, by tenths of what was predicted: realised (up) against predicted";
    let mut svg = Svg::new(WIDE, HIGH + 120.0, title);
    let parts: Vec<(&str, &[Part])> = sections
        .iter()
        .flat_map(|section| {
            section.figures.iter().map(|it| (section.name.as_str(), it.calibration.as_slice()))
        })
        .filter(|(_, parts)| !parts.is_empty())
        .collect();
    let each = parts.iter().flat_map(|(_, parts)| *parts);
    let most = each.map(|part| part.predicted.max(part.realised)).fold(1.0, f64::max) * 1.05;
    let [left, top, _, bottom] = FRAME;
    let side = HIGH + 120.0 - top - bottom;
    let at =
        |x: f64, y: f64| (left + 160.0 + x.max(0.0) / most * side, top + side - y.max(0.0) / most * side);
    for tenth in (0..).map(|tick| f64::from(tick) * 0.25).take_while(|tick| *tick < most) {
        svg.line(at(0.0, tenth), at(most, tenth), "#dddddd");
        svg.line(at(tenth, 0.0), at(tenth, most), "#dddddd");
        let ((x, y), (across, down)) = (at(0.0, tenth), at(tenth, 0.0));
        svg.text(x - 6.0, y + 4.0, "end", &format!("{tenth:.2}"));
        svg.text(across, down + 16.0, "middle", &format!("{tenth:.2}"));
    }
    svg.line(at(0.0, 0.0), at(most, most), "#000000");
    for (place, (name, parts)) in parts.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        for part in *parts {
            let (x, y) = at(part.predicted, part.realised);
            svg.dot(x, y, colour);
        }
        let down = top + 20.0 * (place as f64 + 1.0);
        svg.dot(at(most, 0.0).0 + 24.0, down - 4.0, colour);
        svg.text(at(most, 0.0).0 + 36.0, down, "start", name);
    }
    svg.done()
}
