//! A browser without a window: Chromium, told what to do over a pair of pipes (its `DevTools` protocol).
//!
//! A pipe and a dozen lines of JSON are all that the tests need, so no driver is brought in for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};

/// Why something could not be done.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a page is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser with one page. Dropping it closes it.
pub struct Browser {
    child: Child,
    to: std::fs::File,
    from: BufReader<std::fs::File>,
    session: Option<String>,
    next: u64,
    /// What the page wrote to its console, and what it was kept from doing.
    complaints: Vec<String>,
}

impl Browser {
    /// Starts Chromium with a profile of its own in `folder`, asking pages for `lang`.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start(folder: &Path, lang: &str) -> Result<Self, Failure> {
        let (to, from) = (folder.join("to"), folder.join("from"));
        let made = Command::new("mkfifo").args([&to, &from]).status()?;
        if !made.success() {
            return Err("no pipes could be made".into());
        }
        let profile = folder.join("profile");
        // The shell opens both pipes under the numbers that Chromium wants.
        let run = "exec chromium --headless=new --no-sandbox --disable-gpu --no-first-run --hide-scrollbars \
            --disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe \
            --user-data-dir=\"$1\" --lang=\"$2\" --accept-lang=\"$2\" about:blank 3<\"$3\" 4>\"$4\"";
        let mut command = Command::new("sh");
        command.args(["-c", run, "sh"]).arg(profile).arg(lang).args([&to, &from]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        // In the order of the shell: each waits for the other side.
        let to = std::fs::OpenOptions::new().write(true).open(to)?;
        let from = BufReader::new(std::fs::File::open(from)?);
        let mut browser = Self { child, to, from, session: None, next: 0, complaints: Vec::new() };
        let targets = browser.ask("Target.getTargets", &json!({}))?;
        let page = |target: &&Value| target["type"] == "page";
        let page = targets["targetInfos"].as_array().and_then(|all| all.iter().find(page));
        let page = page.map(|page| page["targetId"].clone()).ok_or("the browser has no page")?;
        let attached = browser.ask("Target.attachToTarget", &json!({ "targetId": page, "flatten": true }))?;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.ask(domain, &json!({}))?;
        }
        Ok(browser)
    }

    /// Asks for something and waits for the answer.
    ///
    /// # Errors
    /// What the browser says, or that it is gone.
    pub fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Failure> {
        self.next += 1;
        let mut request = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&request)?;
        bytes.push(0);
        self.to.write_all(&bytes)?;
        loop {
            let mut line = Vec::new();
            self.from.read_until(0, &mut line)?;
            if line.pop() != Some(0) {
                return Err("the browser is gone".into());
            }
            let answer: Value = serde_json::from_slice(&line)?;
            if answer["id"] == self.next {
                return match answer.get("error") {
                    Some(error) => Err(format!("{method}: {error}").into()),
                    None => Ok(answer["result"].clone()),
                };
            }
            if matches!(answer["method"].as_str(), Some("Runtime.exceptionThrown" | "Log.entryAdded")) {
                self.complaints.push(answer["params"].to_string());
            }
        }
    }

    /// Opens an address.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub fn open(&mut self, url: &str) -> Result<(), Failure> {
        self.ask("Page.navigate", &json!({ "url": url })).map(drop)
    }

    /// What an expression of the page's comes to.
    ///
    /// # Errors
    /// As for [`Self::ask`]; what it throws.
    pub fn value(&mut self, expression: &str) -> Result<Value, Failure> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", &params)?;
        match answer.get("exceptionDetails") {
            Some(thrown) => Err(format!("{expression}: {thrown}").into()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until an expression is true.
    ///
    /// # Errors
    /// If it is not in time.
    pub fn until(&mut self, expression: &str) -> Result<(), Failure> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            // The page itself waits for its next frame, so that this one does not spin.
            let look = format!("new Promise((go) => requestAnimationFrame(() => go(!!({expression}))))");
            if self.value(&look).is_ok_and(|value| value == json!(true)) {
                return Ok(());
            }
        }
        let text = self.value("document.body.innerText").unwrap_or_default();
        Err(format!("never: {expression}; the page says: {text}; {:?}", self.complaints).into())
    }

    /// Shows the page as wide as so many CSS pixels.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub fn set_width(&mut self, width: u32) -> Result<(), Failure> {
        let size = json!({ "width": width, "height": 640, "deviceScaleFactor": 2, "mobile": true });
        self.ask("Emulation.setDeviceMetricsOverride", &size).map(drop)
    }

    /// Says that it is another browser, and prefers dark pages or light ones.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub fn pretend(&mut self, user_agent: &str, lang: &str, dark: bool) -> Result<(), Failure> {
        let agent = json!({ "userAgent": user_agent, "acceptLanguage": lang });
        self.ask("Emulation.setUserAgentOverride", &agent)?;
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        self.ask("Emulation.setEmulatedMedia", &json!({ "features": [scheme] })).map(drop)
    }

    /// Presses and lets go of a key, by its name.
    ///
    /// # Errors
    /// As for [`Self::ask`].
    pub fn press(&mut self, key: &str, code: u32) -> Result<(), Failure> {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let event =
                json!({ "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code });
            self.ask("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }

    /// Saves what the page looks like as a PNG.
    ///
    /// # Errors
    /// As for [`Self::ask`]; if it cannot be written.
    pub fn save_picture(&mut self, path: &Path) -> Result<(), Failure> {
        let picture = self.ask("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }))?;
        let data = picture["data"].as_str().ok_or("no picture came")?;
        std::fs::write(path, BASE64.decode(data.as_bytes())?)?;
        Ok(())
    }

    /// What the page threw, and what its policy kept it from.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It is gone already, or goes now.
        drop(self.ask("Browser.close", &json!({})));
        drop(self.from.read_to_end(&mut Vec::new()));
        drop(self.child.wait());
    }
}
