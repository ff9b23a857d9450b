#include "simulator/baselines/foresight.h"

namespace hive::simulator {

int Foresight::step(const Seen& seen) {
  Seen shown = seen;
  const auto at = static_cast<std::size_t>(seen.now - load_.start + ahead_);
  shown.known = at < load_.requests.size();
  for (const Span& gap : load_.gaps) shown.known = shown.known && (at < gap.begin || at >= gap.end);
  if (shown.known) shown.requests = static_cast<double>(load_.requests[at]);
  return lcp_.step(shown);
}

}  // namespace hive::simulator
