//! `moa`: runs the server, prints the API document, verifies the books, writes them anew and moves them.

// What stands above a command or an option is what `--help` prints.
#![expect(clippy::doc_markdown, reason = "help texts are no Markdown")]

use std::error::Error;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use moa_ledger::copy::Copied;
use moa_ledger::verify::Report;
use moa_server::{
    Apps, BadSetting, CarrierKind, Config, DailyCodes, Limits, MailSettings, Place, Secret, SmsSettings,
    StartError, apps, copying, database, http, start, system_clock,
};
use percent_encoding::percent_decode_str;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Shops that run one mileage programme together: the server.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server until SIGTERM or ctrl-c.
    ///
    /// Without arguments it keeps everything in ./moa-data (made if need be), listens on 127.0.0.1:8080 and shows
    /// text messages in the log instead of sending them. Prints one line on stdout once it listens:
    /// "listening on http://127.0.0.1:8080". The log goes to stderr.
    Serve(Box<Serve>),
    /// Prints the API document (OpenAPI 3.1, JSON).
    Openapi {
        /// The address at which phones reach the server.
        #[arg(long, value_name = "URL", value_parser = http_address)]
        link_base: Option<String>,
    },
    /// Says who runs the server for everyone: may set what shops sell offline, and end anyone's key.
    ///
    /// Works on the folder, so a server that runs on it must be stopped first.
    Operator {
        #[command(subcommand)]
        change: Change,
    },
    /// Recomputes every balance, inbox hash and book from the journal and compares.
    ///
    /// Exit status: 0 if all agree, 1 if something differs, 2 if it could not be done.
    Verify {
        /// The folder that keeps everything.
        #[arg(long, env = "MOA_DATA", value_name = "FOLDER", default_value = "./moa-data")]
        data: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Writes everything anew from the journal, and proves it: for balances and tables that were damaged.
    ///
    /// What there is is only read, also while a server runs on it: what comes in meanwhile is not in the new place. So stop
    /// the server before you go on there. Says whether the old tables agreed with the journal, and where not.
    /// Exit status: 0 if the new place is there and all of it agrees, 1 if the journal itself is damaged (then nothing is
    /// written: restore a backup), 2 if it could not be done.
    Rebuild {
        /// The folder that keeps everything.
        #[arg(long, env = "MOA_DATA", value_name = "FOLDER", default_value = "./moa-data")]
        data: PathBuf,
        #[command(flatten)]
        database: Database,
        /// A new folder, which must not be there or be empty; or the address of an empty PostgreSQL database.
        #[arg(long, env = "MOA_TO", value_name = "FOLDER OR URL", hide_env_values = true)]
        to: Place,
    },
    /// Moves to another place: from a folder to PostgreSQL, back, or from either to another of its kind.
    ///
    /// Everything is copied (journal, tables, people, what is still to be sent), proved, and only then there. The old place
    /// stays as it is; go on with one of the two, never with both. Stop the server first; while one runs on the folder this
    /// refuses, but servers on a PostgreSQL database are not seen from here.
    /// Exit status: as of moa rebuild.
    Copy {
        /// A folder, or the address of a PostgreSQL database, such as postgres://moa@db.example/moa. With a password in it,
        /// give it as MOA_FROM: arguments can be read by everyone on the machine.
        #[arg(long, env = "MOA_FROM", value_name = "FOLDER OR URL", hide_env_values = true)]
        from: Place,
        /// A new folder, which must not be there or be empty; or the address of an empty PostgreSQL database.
        #[arg(long, env = "MOA_TO", value_name = "FOLDER OR URL", hide_env_values = true)]
        to: Place,
        /// The folder with the key and the pepper of the server, if it is copied from PostgreSQL.
        #[arg(long, env = "MOA_DATA", value_name = "FOLDER", default_value = "./moa-data")]
        data: PathBuf,
    },
}

#[derive(Subcommand)]
enum Change {
    /// Makes a person an operator.
    Appoint(Person),
    /// Makes a person an operator no more.
    Dismiss(Person),
}

#[derive(Args)]
struct Database {
    /// The address of a PostgreSQL database, such as postgres://moa@db.example/moa, in place of the one in the folder. The
    /// folder keeps key and pepper all the same; several servers on one database have copies of both. With a password in
    /// it, give it as MOA_DATABASE: arguments can be read by everyone on the machine.
    #[arg(id = "database", long, env = "MOA_DATABASE", value_name = "URL", hide_env_values = true)]
    url: Option<String>,
}

#[derive(Args)]
struct Person {
    /// The folder that keeps everything.
    #[arg(long, env = "MOA_DATA", value_name = "FOLDER", default_value = "./moa-data")]
    data: PathBuf,
    #[command(flatten)]
    database: Database,
    /// An account's id, or the phone number that it signed up with.
    #[arg(value_name = "ACCOUNT OR NUMBER")]
    who: String,
}

#[derive(Args)]
struct Serve {
    /// The folder that keeps everything: database, key, pepper. Back it up as a whole.
    #[arg(long, env = "MOA_DATA", value_name = "FOLDER", default_value = "./moa-data")]
    data: PathBuf,
    #[command(flatten)]
    database: Database,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, env = "MOA_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The address at which phones reach the server, such as https://moa.example [default: where it listens]. Phones prove
    /// their requests for this address, so behind a proxy it has to be told.
    #[arg(long, env = "MOA_LINK_BASE", value_name = "URL", value_parser = http_address)]
    link_base: Option<String>,
    #[command(flatten)]
    apps: AppOptions,
    /// What takes text messages to phones.
    #[arg(long, env = "MOA_CARRIER", default_value = "development")]
    carrier: CarrierKind,
    #[command(flatten)]
    sending: SendingOptions,
    /// The most connections at once; keep it below the process's limit of open files.
    #[arg(long, env = "MOA_CONNECTIONS", value_name = "NUMBER", default_value_t = Config::CONNECTIONS)]
    connections: usize,
    /// How many codes may be sent in 24 hours to numbers of a country: 82=20000, or *=100 for all others. May be given
    /// more than once.
    #[arg(
        long,
        env = "MOA_DAILY_CODES",
        value_name = "CODE=NUMBER",
        value_delimiter = ',',
        default_value = "82=20000"
    )]
    daily_codes: Vec<DailyCodes>,
    /// How many codes one network address may ask for in an hour. Phones of one carrier may share one.
    #[arg(long, env = "MOA_CODES_PER_ADDRESS", value_name = "NUMBER", default_value_t = Limits::CODES_PER_ADDRESS)]
    codes_per_address: u32,
    /// Proxies whose X-Forwarded-For says who asks. Without it nobody's does.
    #[arg(long, env = "MOA_TRUSTED_PROXIES", value_name = "IP", value_delimiter = ',')]
    trusted_proxies: Vec<IpAddr>,
    /// A TrueType or OpenType font with Hangul, for the posters of shops and groups [default: Nanum Gothic where Debian's
    /// fonts-nanum puts it].
    #[arg(long, env = "MOA_FONT", value_name = "FILE")]
    font: Option<PathBuf>,
    /// Stops the clock, until POST /v1/test/clock moves it. For tests, and only on loopback.
    #[arg(long)]
    test_clock: bool,
    /// What to log, such as "info" or "moa_server=debug".
    #[arg(long, env = "MOA_TRACE", value_name = "FILTER", default_value = "info")]
    trace: String,
}

/// The apps that links open. Without them, links open an app that is there by its own scheme.
#[derive(Args)]
struct AppOptions {
    /// The app's package on Android, for /.well-known/assetlinks.json.
    #[arg(long, env = "MOA_ANDROID_PACKAGE", value_name = "PACKAGE", value_parser = apps::android_package)]
    android_package: Option<String>,
    /// SHA-256 of a certificate that signs it, as keytool prints it. May be given more than once.
    #[arg(long, env = "MOA_ANDROID_CERT", value_name = "SHA256", value_delimiter = ',', value_parser = apps::android_cert)]
    android_cert: Vec<String>,
    /// The app on iOS with its team's prefix, for /.well-known/apple-app-site-association.
    #[arg(long, env = "MOA_IOS_APP_ID", value_name = "ID", value_parser = apps::ios_app_id)]
    ios_app_id: Option<String>,
    /// Where Android phones get the app.
    #[arg(long, env = "MOA_STORE_ANDROID", value_name = "URL", value_parser = http_address)]
    store_android: Option<String>,
    /// Where iPhones get it.
    #[arg(long, env = "MOA_STORE_IOS", value_name = "URL", value_parser = http_address)]
    store_ios: Option<String>,
}

impl From<AppOptions> for Apps {
    fn from(options: AppOptions) -> Self {
        let AppOptions { android_package, android_cert, ios_app_id, store_android, store_ios } = options;
        Self { android_package, android_certs: android_cert, ios_app_id, store_android, store_ios }
    }
}

/// How text messages and mails are really sent.
#[derive(Args)]
struct SendingOptions {
    /// A service that sends text messages, in place of the carrier: each is posted there as JSON. Its bearer token, if it
    /// wants one, is taken from MOA_SMS_TOKEN.
    #[arg(long, env = "MOA_SMS_URL", value_name = "URL")]
    sms_url: Option<String>,
    /// What is posted: JSON with {to}, {text} and {id} in its texts.
    #[arg(long, env = "MOA_SMS_BODY", value_name = "JSON", default_value = SmsSettings::BODY, requires = "sms_url")]
    sms_body: String,
    /// The mail server: smtps://user@mail.example, or smtp://user@mail.example:587 for STARTTLS. Its password is taken from
    /// MOA_SMTP_PASSWORD or --smtp-password-file: arguments can be read by everyone on the machine.
    #[arg(long, env = "MOA_SMTP", value_name = "URL", requires = "mail_from")]
    smtp: Option<String>,
    /// A file with the password for the mail server, in its first line.
    #[arg(long, env = "MOA_SMTP_PASSWORD_FILE", value_name = "FILE", requires = "smtp")]
    smtp_password_file: Option<PathBuf>,
    /// The mailbox that mails come from, such as "Moa <moa@moa.example>".
    #[arg(long, env = "MOA_MAIL_FROM", value_name = "MAILBOX")]
    mail_from: Option<String>,
}

impl SendingOptions {
    fn sms(&self) -> Option<SmsSettings> {
        let token = std::env::var("MOA_SMS_TOKEN").ok().map(Secret);
        self.sms_url.clone().map(|url| SmsSettings { url, body: self.sms_body.clone(), token })
    }

    fn mail(&self) -> Result<Option<MailSettings>, Box<dyn Error>> {
        let (Some(url), Some(from)) = (&self.smtp, &self.mail_from) else { return Ok(None) };
        let (scheme, rest) = url.split_once("://").ok_or(BadSetting::Smtp)?;
        let (user, host) = rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
        if user.is_some_and(|user| user.contains(':')) {
            return Err("--smtp: the password goes into MOA_SMTP_PASSWORD or --smtp-password-file".into());
        }
        let password = match &self.smtp_password_file {
            Some(file) => Some(
                fs::read_to_string(file)
                    .map_err(|error| format!("--smtp-password-file: {}: {error}", file.display()))?,
            ),
            None => std::env::var("MOA_SMTP_PASSWORD").ok(),
        };
        let password = password.and_then(|text| text.lines().next().map(str::to_owned));
        let credentials = match (user, password) {
            (Some(user), Some(password)) => {
                Some((percent_decode_str(user).decode_utf8()?.into_owned(), Secret(password)))
            }
            (Some(_), None) => return Err("--smtp: a user, but no password".into()),
            (None, _) => None,
        };
        Ok(Some(MailSettings { url: format!("{scheme}://{host}"), from: from.clone(), credentials }))
    }
}

fn http_address(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host.map(|host| host.trim_end_matches('/')) {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => Err("it must begin with https:// or http:// and name a host".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be done if even that can't be written.
            drop(writeln!(io::stderr(), "moa: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Serve(serve) => {
            let filter = EnvFilter::try_new(&serve.trace).map_err(|error| format!("--trace: {error}"))?;
            let colours = io::stderr().is_terminal();
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_ansi(colours)
                .with_writer(io::stderr)
                .init();
            tokio::runtime::Runtime::new()?.block_on(run_server(*serve))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Openapi { link_base } => {
            say(&http::document(link_base.as_deref())?)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Operator { change: Change::Appoint(person) } => appoint(&person, true),
        Command::Operator { change: Change::Dismiss(person) } => appoint(&person, false),
        Command::Verify { data, database } => verify_books(&Place::of(data, database.url)),
        Command::Rebuild { data, database, to } => rebuild_books(&Place::of(&data, database.url), &data, &to),
        Command::Copy { from, to, data } => copy_books(&from, &data, &to),
    }
}

async fn run_server(serve: Serve) -> Result<(), Box<dyn Error>> {
    let Serve { data, listen, link_base, apps, carrier, sending, connections, test_clock, .. } = serve;
    let database = serve.database.url;
    let Serve { daily_codes, codes_per_address, trusted_proxies, font, .. } = serve;
    let limits = Limits { daily_codes, codes_per_address, trusted_proxies };
    // Taken over before anyone can know that the server runs.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let apps = apps.into();
    let (sms, mail) = (sending.sms(), sending.mail()?);
    let config = Config {
        data,
        database,
        listen,
        link_base,
        apps,
        carrier,
        sms,
        mail,
        connections,
        limits,
        font,
        test_clock,
    };
    let server = start(&config, system_clock()).await.map_err(explain)?;
    say(&format!("listening on {}", server.url()))?;
    tracing::info!(url = server.url(), data = %config.data.display(), "serving");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.shutdown().await;
    Ok(())
}

/// What a person can do about it, where that is not plain.
fn explain(error: StartError) -> Box<dyn Error> {
    match error {
        StartError::Listen { listen, source } if source.kind() == io::ErrorKind::AddrInUse => {
            format!("{listen} is taken; stop what listens there or choose another with --listen").into()
        }
        other => other.into(),
    }
}

fn appoint(Person { data, database: at, who }: &Person, operator: bool) -> Result<ExitCode, Box<dyn Error>> {
    let database = database(data);
    if at.url.is_none() && !database.exists() {
        return Err(format!("{} is not there; which folder does the server use?", database.display()).into());
    }
    let at = at.url.as_deref();
    let account = moa_server::operator::appoint(data, at, who, operator, system_clock()())?;
    say(&if operator { format!("{account} is an operator") } else { format!("{account} is no operator") })?;
    Ok(ExitCode::SUCCESS)
}

fn verify_books(place: &Place) -> Result<ExitCode, Box<dyn Error>> {
    let report = copying::verify(place)?;
    tell(place, &report)?;
    if report.is_clean() {
        say("clean: everything agrees with the journal")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{} differences", report.different))?;
    Ok(ExitCode::from(1))
}

/// Says what came of copying; whether there is a copy.
fn tell_copied(from: &Place, to: &Place, copied: &Copied) -> Result<bool, Box<dyn Error>> {
    let Copied { source, target } = copied;
    tell(from, source)?;
    let Some(target) = target else {
        say(&format!("{} differences in the journal itself: nothing was written", source.in_journal))?;
        say("restore a backup, and check it with moa verify")?;
        return Ok(false);
    };
    if source.is_clean() {
        say("its tables equal the journal's")?;
    } else {
        say(&format!("{} differences, which are not in the new place", source.different))?;
    }
    tell(to, target)?;
    if !target.is_clean() {
        return Err("what was written does not agree with the journal, and was removed: this is a bug".into());
    }
    say("clean: everything agrees with the journal")?;
    Ok(true)
}

fn rebuild_books(from: &Place, data: &Path, to: &Place) -> Result<ExitCode, Box<dyn Error>> {
    let good = tell_copied(from, to, &copying::rebuild(from, data, to)?)?;
    Ok(ExitCode::from(u8::from(!good)))
}

fn copy_books(from: &Place, data: &Path, to: &Place) -> Result<ExitCode, Box<dyn Error>> {
    if !tell_copied(from, to, &copying::copy(from, data, to)?)? {
        return Ok(ExitCode::from(1));
    }
    let secrets = match (from, to) {
        (_, Place::Folder(folder)) => {
            say(&format!("key and pepper are in it too: go on with moa serve --data {}", folder.display()))?;
            return Ok(ExitCode::SUCCESS);
        }
        (Place::Folder(folder), _) => folder,
        (Place::Postgres(_), _) => data,
    };
    let data = secrets.display();
    say(&format!("key and pepper stay in {data}: go on with moa serve --data {data} --database {to}"))?;
    Ok(ExitCode::SUCCESS)
}

fn tell(place: &Place, report: &Report) -> io::Result<()> {
    say(&format!(
        "{place}: {} ops, {} events, {} inboxes, {} lots, {} groups",
        report.ops, report.events, report.inboxes, report.lots, report.groups
    ))?;
    report.differences.iter().try_for_each(|difference| say(&format!("differs: {difference}")))
}

/// A line on stdout, at once.
fn say(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
