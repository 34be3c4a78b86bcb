// The CPU time of this process: what speed is quoted in on a machine that others use too.
#pragma once

namespace presil {

/// User and system time of all threads so far, in seconds.
double cpu_seconds();

}  // namespace presil
