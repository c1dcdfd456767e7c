// The decode child: reads jobs from stdin, loads source plugins, answers on stdout. The only process that parses untrusted bytes. Never
// returns a failure by exit code: every job is answered, or the child is dead and the supervisor sees it.
#pragma once

namespace cloister {
int runDecodeChild();
/// Exit code of a child whose stack was not enough for the nesting of the file.
constexpr int kStackExhausted = 71;
}  // namespace cloister
