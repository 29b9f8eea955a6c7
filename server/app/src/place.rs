//! Where a server keeps its books: in a folder, or in a PostgreSQL database.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A folder with a database in it, or the address of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The folder; it keeps key and pepper too.
    Folder(PathBuf),
    /// `postgres://user:password@host/name`. Key and pepper lie in a folder elsewhere.
    Postgres(String),
}

impl Place {
    /// The folder, unless a database is named.
    pub fn of(data: impl Into<PathBuf>, database: Option<String>) -> Self {
        database.map_or_else(|| Self::Folder(data.into()), Self::Postgres)
    }
}

impl FromStr for Place {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let address = ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme));
        Ok(if address { Self::Postgres(text.to_owned()) } else { Self::Folder(text.into()) })
    }
}

/// As it may be shown and logged: without password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::Folder(folder) => return folder.display().fmt(f),
            Self::Postgres(url) => url,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
        let (place, _) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, place) = place.rsplit_once('@').unwrap_or(("", place));
        match user.split(':').next() {
            Some(user) if !user.is_empty() => write!(f, "{scheme}://{user}@{place}"),
            _ => write!(f, "{scheme}://{place}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        let Ok(place) = text.parse();
        place
    }

    #[test]
    fn an_address_is_told_from_a_folder() {
        assert_eq!(place("./moa-data"), Place::Folder("./moa-data".into()));
        assert_eq!(place("postgres"), Place::Folder("postgres".into()));
        assert_eq!(place("postgresql://h/moa"), Place::Postgres("postgresql://h/moa".to_owned()));
    }

    #[test]
    fn a_password_is_not_shown() {
        for (given, shown) in [
            ("postgres://moa:hunter2@db.example/moa", "postgres://moa@db.example/moa"),
            ("postgres://moa:a@b:c@db.example/moa?sslmode=disable", "postgres://moa@db.example/moa"),
            ("postgres://moa@db.example:5432/moa?password=hunter2", "postgres://moa@db.example:5432/moa"),
            ("postgresql://:hunter2@db.example/moa", "postgresql://db.example/moa"),
            ("postgres:///moa?host=/run/postgresql&user=moa", "postgres:///moa"),
            ("./a:b@c", "./a:b@c"),
        ] {
            assert_eq!(place(given).to_string(), shown);
        }
    }
}
