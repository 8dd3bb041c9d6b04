//! The scheduler's behaviour, as readable specifications: no network, no disk, no sleep.

mod completing;
mod failing;
mod leasing;
mod operating;
mod property;
mod recovering;
mod rig;
