//! From a sweep file to tables and figures, and on again after every way to stop.

mod cluster;
mod compaction;
mod device;
mod diverging;
mod draining;
mod drawn_tasks;
mod faults;
mod figures;
mod grid;
mod mnist;
mod weights;
