//! The backend: HTTP, enrolment, jobs.
