//! A plot of lines over logarithmic axes, as SVG.

use std::fmt::Write;

pub struct Plot {
    pub title: &'static str,
    pub series: Vec<Series>,
}

/// A line: bytes and seconds.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 480.0;
const MARGIN: f64 = 64.0;
const COLOURS: [&str; 3] = ["#0b6e99", "#b4530a", "#3d7a37"];

/// Powers of ten that an axis goes from and to.
struct Axis {
    from: i32,
    to: i32,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(f64::MIN_POSITIVE, f64::max);
        Self { from: least.log10().floor() as i32, to: most.log10().ceil() as i32 }
    }

    /// Where on the axis a value is, from 0 to 1.
    fn place(&self, value: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from)
    }
}

impl Plot {
    pub fn svg(&self) -> String {
        let points = self.series.iter().flat_map(|series| &series.points);
        let sizes = Axis::of(points.clone().map(|point| point.0));
        let times = Axis::of(points.map(|point| point.1));
        let x = |value: f64| MARGIN + sizes.place(value) * (WIDTH - 2.0 * MARGIN);
        let y = |value: f64| HEIGHT - MARGIN - times.place(value) * (HEIGHT - 2.0 * MARGIN);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
             font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{}\" y=\"32\" text-anchor=\"middle\" font-size=\"16\">{}</text>\n",
            WIDTH / 2.0,
            self.title,
        );
        for power in sizes.from..=sizes.to {
            let at = x(10f64.powi(power));
            line(&mut svg, (at, MARGIN), (at, HEIGHT - MARGIN));
            text(&mut svg, (at, HEIGHT - MARGIN + 20.0), "middle", &bytes(power));
        }
        for power in times.from..=times.to {
            let at = y(10f64.powi(power));
            line(&mut svg, (MARGIN, at), (WIDTH - MARGIN, at));
            text(&mut svg, (MARGIN - 8.0, at + 4.0), "end", &seconds(power));
        }
        for (series, colour) in self.series.iter().zip(COLOURS) {
            let path: Vec<_> =
                series.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            if let Some(last) = series.points.last() {
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
                    x(last.0) + 6.0,
                    y(last.1) + 4.0,
                    series.name
                );
            }
        }
        svg + "</svg>\n"
    }
}

fn line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let _ =
        writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" fill=\"#444\">{text}</text>", at.0, at.1);
}

fn bytes(power: i32) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    format!("{} {}", 10u32.pow(power as u32 % 3), units[power as usize / 3])
}

fn seconds(power: i32) -> String {
    match power {
        0.. => format!("{} s", 10f64.powi(power)),
        -3..0 => format!("{} ms", 10f64.powi(power + 3)),
        _ => format!("{} µs", 10f64.powi(power + 6)),
    }
}
