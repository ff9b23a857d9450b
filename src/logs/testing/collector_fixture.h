// A collector over real files in a temporary directory, moved by explicit turns of a manual clock,
// with faults that can be put in front of its destinations.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "logs/file_collector.h"
#include "os/file.h"

namespace hive::logs::testing {

// What a destination does wrong; shared by all of its files.
struct Faults {
  bool no_space = false;                // nothing more can be appended
  std::size_t short_append = SIZE_MAX;  // an append takes so many bytes at most, then no space
  bool sync_fails = false;
  std::function<void()> before_call;  // of any call
};

class FaultyFile final : public OutputFile {
 public:
  FaultyFile(std::unique_ptr<OutputFile> file, std::shared_ptr<Faults> faults)
      : file_(std::move(file)), faults_(std::move(faults)) {}
  Result<std::uint64_t> size() const override { return file_->size(); }
  Result<std::size_t> append(std::string_view bytes) override {
    call();
    if (faults_->no_space) return no_space();
    if (bytes.size() <= faults_->short_append) return file_->append(bytes);
    bytes = bytes.substr(0, faults_->short_append);
    faults_->no_space = true;
    return bytes.empty() ? no_space() : file_->append(bytes);
  }
  Status sync() override {
    call();
    if (faults_->sync_fails) return fail(Errc::kUnavailable, "syncing: Input/output error");
    return file_->sync();
  }
  Status cut(std::uint64_t size) override {
    call();
    return file_->cut(size);
  }
  Result<std::string> read(std::uint64_t offset, std::size_t length) const override {
    return file_->read(offset, length);
  }

 private:
  static Result<std::size_t> no_space() {
    return fail(Errc::kResourceExhausted, "writing: No space left on device");
  }
  void call() const {
    if (faults_->before_call) faults_->before_call();
  }
  std::unique_ptr<OutputFile> file_;
  std::shared_ptr<Faults> faults_;
};

class FaultyDirectory final : public OutputDirectory {
 public:
  FaultyDirectory(std::unique_ptr<OutputDirectory> directory, std::shared_ptr<Faults> faults)
      : directory_(std::move(directory)), faults_(std::move(faults)) {}
  Result<std::unique_ptr<OutputFile>> create(const std::string& name) override {
    return faulty(directory_->create(name));
  }
  Result<std::unique_ptr<OutputFile>> open(const std::string& name) override {
    return faulty(directory_->open(name));
  }
  Result<std::vector<StoredFile>> list() const override { return directory_->list(); }
  Result<std::uint64_t> capacity() const override { return directory_->capacity(); }
  Status remove(const std::string& name) override { return directory_->remove(name); }

 private:
  Result<std::unique_ptr<OutputFile>> faulty(Result<std::unique_ptr<OutputFile>> file) {
    if (faults_->before_call) faults_->before_call();
    if (!file) return file;
    return std::make_unique<FaultyFile>(std::move(*file), faults_);
  }
  std::unique_ptr<OutputDirectory> directory_;
  std::shared_ptr<Faults> faults_;
};

class CollectorFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hive-logs-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    for (const char* part : {"root/logs", "json", "state"})
      std::filesystem::create_directories(base_ / part);
    options_.destination = base_ / "store";
    options_.state = base_ / "state";
    options_.on_event = [this](LogEvent event) {
      const std::lock_guard lock(events_mutex_);
      events_.push_back(std::move(event));
    };
    begin();
  }
  void TearDown() override {
    collector_.reset();
    std::filesystem::remove_all(base_);
  }

  // As a new process would, over the same files.
  void begin() {
    collector_ = std::make_unique<FileCollector>(
        options_, clock_, [faults = faults_](const std::string& path, bool make) {
          return std::make_unique<FaultyDirectory>(make_output_directory(path, make), faults);
        });
  }

  WatchedContainer container(const std::string& id = "c1") const {
    WatchedContainer out{.id = id, .task_id = "task-" + id, .service = "shop_web"};
    out.node = "worker-1";
    out.slot = 2;
    out.upper_dir = (base_ / "root").string();
    out.policy.paths = {"/logs/*.log"};
    return out;
  }
  WatchedContainer json_container() const {
    WatchedContainer out = container();
    out.policy.paths.clear();
    out.json_log = (base_ / "json/c1-json.log").string();
    return out;
  }
  static std::string json_line(const std::string& text, const std::string& stream) {
    return R"({"log":")" + text + R"(","stream":")" + stream +
           R"(","time":"2026-01-01T00:00:00.000000001Z"})" + "\n";
  }

  std::filesystem::path source(const std::string& name) const { return base_ / "root/logs" / name; }
  std::filesystem::path stored(const std::string& name, const std::string& task = "task-c1") const {
    return base_ / "store/shop_web" / ("worker-1.2." + task) / name;
  }
  static void append(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::app) << text;
  }
  static std::string read(const std::filesystem::path& path) {
    return os::read_file(path).value_or("<absent>");
  }
  // Longer than any period of the collector's.
  void turn(Milliseconds after = Milliseconds(3'000)) {
    clock_.advance(after);
    collector_->turn();
  }
  bool proven(const std::string& id = "c1") {
    const MonotonicTime now = clock_.now();
    turn();
    turn();  // a file that was begun in the first is carried in the second
    return collector_->delivery(id).proven(now);
  }
  bool said(const std::string& kind) {
    const std::lock_guard lock(events_mutex_);
    for (const LogEvent& event : events_)
      if (event.kind == kind) return true;
    return false;
  }

  std::filesystem::path base_;
  ManualClock clock_;
  CollectorOptions options_;
  std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
  std::mutex events_mutex_;
  std::vector<LogEvent> events_;
  std::unique_ptr<FileCollector> collector_;
};

}  // namespace hive::logs::testing
