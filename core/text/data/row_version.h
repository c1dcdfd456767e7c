// The way rows are made of records. Stands in every fingerprint of prepared texts, so that texts prepared in an older way are made again
// instead of being taken for the same.
#pragma once

namespace cloister {

/// 1: as first written (of a preference with a history, every answer counted). 2: of a preference only the last answer counts; templates of
/// folders are run.
constexpr int kTextRowVersion = 2;

}  // namespace cloister
