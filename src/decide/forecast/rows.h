// One way to tell forecasts apart (by the minute of the hour, by the height of the load): a row for
// each case, with the surprises that it has seen, against the mean of all rows.
//
// What a row tells is a factor for each bin of surprises: how many times as often it was seen there
// as in all rows. Factors of several families multiply (naive Bayes: given the surprise, the
// families are taken to know nothing of each other), so that what one family has never seen at this
// height of the load is not expected because another saw it at this minute.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace hive::decide::forecast {

inline constexpr std::size_t kBins = 64;

class Rows {
 public:
  struct Options {
    std::size_t rows = 1;
    double keep = 1;        // of what a row holds, at begin() or age_all()
    double body_trust = 0;  // that the rows tell more than their mean, before anything is known;
    double tail_trust = 0;  // and the same of bursts
    std::size_t burst = kBins;  // the first bin that is a burst
  };
  explicit Rows(const Options& options);

  // A visit of the row begins: what it holds has aged, and is judged by what it held then, since a
  // burst would else speak for itself for as long as it lasts.
  void begin(std::size_t row);
  // Rows that have no visits of their own all age at once.
  void age_all();
  // `visits`: the part of an independent look at the row that this stands for.
  void learn(std::size_t row, std::size_t bin, double visits);
  // Once a minute: the mean of the rows.
  void count();
  // Once a tick, before learn(): did the row tell better than the mean what came?
  void judge(std::size_t row, std::size_t bin);
  // Multiplies each bin's share by the row's factor; shares do not add up to 1 then.
  void apply(std::size_t row, std::array<float, kBins>& share) const;

  template <class A>
  void fields(A& a) {
    a(seen_, visits_, body_trust_, tail_trust_);
  }

 private:
  struct Held {
    std::array<float, kBins> seen{};
    float visits = 0;
  };
  Held held(std::size_t row) const;

  Options options_;
  std::vector<float> seen_;    // visits, by row and bin
  std::vector<float> visits_;  // of each row
  double body_trust_;
  double tail_trust_;
  std::array<float, kBins> mean_{};  // shares; derived, not kept; of no use until counted_
  double mean_tail_ = 0;
  bool counted_ = false;
  std::size_t begun_;  // the row whose visit is on, as it was before
  Held before_;
};

}  // namespace hive::decide::forecast
