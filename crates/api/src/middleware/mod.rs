//! What every request passes, from the outside in: observation, headers, which path it is for, the gate.

pub(crate) mod find;
pub(crate) mod gate;
pub(crate) mod headers;
pub(crate) mod measures;
pub(crate) mod observe;
pub(crate) mod request_id;
