#include "logs/guarded_output.h"

#include <unistd.h>

namespace hive::logs {
namespace {

class Call {
 public:
  Call(OutputGuard& guard, const Clock& clock) : guard_(guard) { guard_.busy_since = clock.now(); }
  ~Call() {
    while (guard_.abandoned) ::pause();
    guard_.busy_since = MonotonicTime{};
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  OutputGuard& guard_;
};

class GuardedFile final : public OutputFile {
 public:
  GuardedFile(std::unique_ptr<OutputFile> file, std::shared_ptr<OutputGuard> guard,
              const Clock& clock)
      : file_(std::move(file)), guard_(std::move(guard)), clock_(clock) {}
  Result<std::uint64_t> size() const override {
    const Call call(*guard_, clock_);
    return file_->size();
  }
  Result<std::size_t> append(std::string_view bytes) override {
    const Call call(*guard_, clock_);
    return file_->append(bytes);
  }
  Status sync() override {
    const Call call(*guard_, clock_);
    return file_->sync();
  }
  Status cut(std::uint64_t size) override {
    const Call call(*guard_, clock_);
    return file_->cut(size);
  }
  Result<std::string> read(std::uint64_t offset, std::size_t length) const override {
    const Call call(*guard_, clock_);
    return file_->read(offset, length);
  }

 private:
  std::unique_ptr<OutputFile> file_;
  std::shared_ptr<OutputGuard> guard_;
  const Clock& clock_;
};

class GuardedDirectory final : public OutputDirectory {
 public:
  GuardedDirectory(std::unique_ptr<OutputDirectory> directory, std::shared_ptr<OutputGuard> guard,
                   const Clock& clock)
      : directory_(std::move(directory)), guard_(std::move(guard)), clock_(clock) {}
  Result<std::unique_ptr<OutputFile>> create(const std::string& name) override {
    const Call call(*guard_, clock_);
    return guarded(directory_->create(name));
  }
  Result<std::unique_ptr<OutputFile>> open(const std::string& name) override {
    const Call call(*guard_, clock_);
    return guarded(directory_->open(name));
  }
  Result<std::vector<StoredFile>> list() const override {
    const Call call(*guard_, clock_);
    return directory_->list();
  }
  Result<std::uint64_t> capacity() const override {
    const Call call(*guard_, clock_);
    return directory_->capacity();
  }
  Status remove(const std::string& name) override {
    const Call call(*guard_, clock_);
    return directory_->remove(name);
  }

 private:
  Result<std::unique_ptr<OutputFile>> guarded(Result<std::unique_ptr<OutputFile>> file) {
    if (!file) return file;
    return std::make_unique<GuardedFile>(std::move(*file), guard_, clock_);
  }

  std::unique_ptr<OutputDirectory> directory_;
  std::shared_ptr<OutputGuard> guard_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<OutputDirectory> guard_output(std::unique_ptr<OutputDirectory> directory,
                                              std::shared_ptr<OutputGuard> guard,
                                              const Clock& clock) {
  return std::make_unique<GuardedDirectory>(std::move(directory), std::move(guard), clock);
}

}  // namespace hive::logs
