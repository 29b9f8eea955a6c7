//! Texts in Korean and English, money, dates, particles.
