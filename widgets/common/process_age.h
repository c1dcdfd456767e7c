// How old this process is: what a person waited from the click to the first window. Linux only (/proc); any thread.
#pragma once

namespace cloister {
/// Milliseconds since the kernel started this process, from field 22 of /proc/self/stat; resolution is one clock tick (10 ms). Negative
/// when unknown.
double processAgeMilliseconds();
}  // namespace cloister
