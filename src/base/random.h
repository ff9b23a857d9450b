// Randomness from one seed, handed in and never global, so that every run can be repeated.
#pragma once

#include <cstdint>
#include <random>

namespace hive {

// Not for secrets: those come from os/secret.h. Owned by one thread.
class Random {
 public:
  explicit Random(std::uint64_t seed) : seed_(seed), engine_(seed) {}
  std::uint64_t seed() const { return seed_; }
  // Uniform in [0, bound); 0 for bound 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();

 private:
  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace hive
