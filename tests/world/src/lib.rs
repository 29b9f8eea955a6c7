//! A town of shops and phones.
