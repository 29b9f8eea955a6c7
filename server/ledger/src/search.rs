//! The directory is searched: groups to join, shops to invite. (A3, A5)
//!
//! | room | what lives there |
//! |---|---|
//! | [`text`] | names as they are typed: strokes, initials, grams |
//! | [`place`] | places as cells, boxes and circles as ranges of cells |

pub mod place;
pub mod text;
