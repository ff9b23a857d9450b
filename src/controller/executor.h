// Where blocking work goes, so that the loop that decides never waits for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hive::controller {

class Executor {
 public:
  virtual ~Executor() = default;
  // Returns at once. The caller bounds how much it submits.
  virtual void submit(std::function<void()> job) = 0;
};

// A fixed number of threads. Jobs not begun when it is stopped are dropped.
class ThreadExecutor final : public Executor {
 public:
  explicit ThreadExecutor(std::size_t threads);
  ~ThreadExecutor() override { stop(); }
  void submit(std::function<void()> job) override;
  // Waits for the jobs that run. Not from a job. Idempotent.
  void stop();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
};

// Runs nothing until it is told to: for tests and simulations, where dropping the jobs is the
// death of a controller.
class ManualExecutor final : public Executor {
 public:
  void submit(std::function<void()> job) override { jobs_.push_back(std::move(job)); }
  // Those submitted so far and those that they submit. Returns how many ran.
  std::size_t run();
  void drop() { jobs_.clear(); }
  std::size_t waiting() const { return jobs_.size(); }

 private:
  std::deque<std::function<void()>> jobs_;
};

}  // namespace hive::controller
