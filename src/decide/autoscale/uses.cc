#include "decide/autoscale/uses.h"

#include <algorithm>

namespace hive::decide::autoscale {

using forecast::kBins;

void expected_uses(const forecast::Outlook& outlook, double scale, double least, int most,
                   std::vector<double>& out) {
  out.clear();
  const auto& centres = forecast::SurpriseTables::centres();
  const double mean = outlook.mean * scale;
  const double spread = std::max(outlook.spread * scale, 1e-9);
  // E[(z - x)+] = above1 - x * above0 over the bins above x; walked once, since x only grows.
  double above0 = 0;
  double above1 = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    above0 += static_cast<double>(outlook.surprises.share[i]);
    above1 += static_cast<double>(outlook.surprises.share[i]) * centres[i];
  }
  std::size_t bin = 0;
  const auto beyond = [&](int level) {
    const double x = (level - mean) / spread;
    for (; bin < kBins && centres[bin] <= x; ++bin) {
      above0 -= static_cast<double>(outlook.surprises.share[bin]);
      above1 -= static_cast<double>(outlook.surprises.share[bin]) * centres[bin];
    }
    return bin == kBins ? 0.0 : std::max(0.0, spread * (above1 - x * above0));
  };
  double before = beyond(0);
  for (int level = 1; level <= most; ++level) {
    const double after = beyond(level);
    const double use = before - after;
    if (use < least) return;
    out.push_back(use);
    before = after;
  }
}

}  // namespace hive::decide::autoscale
