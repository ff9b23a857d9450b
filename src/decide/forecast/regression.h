// Ridge regression that forgets: decayed normal equations, solved now and then. Recursive least
// squares does the same with less work and was seen to blow up when inputs stand still for long.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace hive::decide::forecast {

// A penalty that only keeps the equations solvable.
inline constexpr double kTinyPenalty = 1e-9;

template <std::size_t N>
class Ridge {
 public:
  using Vector = std::array<double, N>;

  // `penalty`: pulls weights towards `prior`, as that many samples of unit inputs would.
  Ridge(Vector prior, double penalty) : prior_(prior), weights_(prior), penalty_(penalty) {}

  double predict(const Vector& x) const {
    double sum = 0;
    for (std::size_t i = 0; i < N; ++i) sum += weights_[i] * x[i];
    return sum;
  }
  void learn(const Vector& x, double y) {
    for (std::size_t i = 0; i < N; ++i) {
      for (std::size_t j = 0; j <= i; ++j) products_[i][j] += x[i] * x[j];
      targets_[i] += x[i] * y;
    }
  }
  void decay(double factor) {
    for (auto& row : products_)
      for (double& value : row) value *= factor;
    for (double& value : targets_) value *= factor;
  }
  // Cholesky; keeps the old weights when rounding spoils it.
  void solve();
  const Vector& weights() const { return weights_; }

  template <class A>
  void fields(A& a) {
    for (double& value : weights_) a(value);
    for (double& value : targets_) a(value);
    for (auto& row : products_)
      for (double& value : row) a(value);
  }

 private:
  Vector prior_;
  Vector weights_;
  double penalty_;
  std::array<Vector, N> products_{};  // lower triangle
  Vector targets_{};
};

template <std::size_t N>
void Ridge<N>::solve() {
  auto l = products_;
  Vector x{};
  for (std::size_t i = 0; i < N; ++i) {
    l[i][i] += penalty_;
    x[i] = targets_[i] + penalty_ * prior_[i];
  }
  for (std::size_t j = 0; j < N; ++j) {
    for (std::size_t k = 0; k < j; ++k) l[j][j] -= l[j][k] * l[j][k];
    if (!(l[j][j] > 1e-12)) return;
    l[j][j] = std::sqrt(l[j][j]);
    for (std::size_t i = j + 1; i < N; ++i) {
      for (std::size_t k = 0; k < j; ++k) l[i][j] -= l[i][k] * l[j][k];
      l[i][j] /= l[j][j];
    }
  }
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t k = 0; k < i; ++k) x[i] -= l[i][k] * x[k];
    x[i] /= l[i][i];
  }
  for (std::size_t i = N; i-- > 0;) {
    for (std::size_t k = i + 1; k < N; ++k) x[i] -= l[k][i] * x[k];
    x[i] /= l[i][i];
  }
  weights_ = x;
}

}  // namespace hive::decide::forecast
