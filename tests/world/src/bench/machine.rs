//! What the figures were measured on, and what else it was doing.

use std::fs::read_to_string;

/// Prints processor, memory, load, and how this program was built.
pub fn print() {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').take(3).collect::<Vec<_>>().join(" ");
    println!("{build} build, {cores} cores ({})", field("/proc/cpuinfo", "model name"));
    println!(
        "memory: {}, available {}",
        field("/proc/meminfo", "MemTotal"),
        field("/proc/meminfo", "MemAvailable")
    );
    println!("load of the last 1, 5 and 15 minutes: {load}");
}

/// A field of one of the kernel's tables; empty where there is none.
pub fn field(file: &str, name: &str) -> String {
    let text = read_to_string(file).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}
