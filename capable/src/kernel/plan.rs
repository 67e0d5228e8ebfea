//! temporary
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook { Kprobe, KprobePair, Fexit, Tracepoint }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport { Ring, Perf }
