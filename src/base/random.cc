#include "base/random.h"

namespace hive {

// The standard's distributions differ between libraries; these do not.
std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  std::uint64_t draw = engine_();
  while (draw >= limit) draw = engine_();
  return draw % bound;
}

double Random::unit() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

}  // namespace hive
