#include "logs/tail.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "logs/json_file.h"
#include "logs/rotation.h"
#include "os/file.h"

namespace hive::logs {
namespace {

constexpr std::size_t kCheckBytes = 64;
constexpr std::size_t kHeadBytes = 256;
constexpr std::size_t kCompareBytes = 4'096;
constexpr int kMaxGenerations = 100'000;

std::string generation_name(const std::string& base, int generation) {
  return generation == 1 ? base : fmt::format("{}~{}", base, generation);
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

std::uint64_t before(std::uint64_t end, std::size_t most) {
  return end - std::min<std::uint64_t>(end, most);
}

// The last bytes of the destination's first `bytes` are those of the source, which begins there at
// `base`.
Result<bool> agree(const OutputFile& file, std::uint64_t bytes, int fd, std::uint64_t base) {
  const std::uint64_t from = before(bytes, kCompareBytes);
  HIVE_ASSIGN(const std::string there, file.read(from, bytes - from));
  return there.size() == bytes - from && read_at(fd, base + from, there.size()) == there;
}

}  // namespace

Tail::Tail(std::shared_ptr<SourceFile> source, std::shared_ptr<ContainerLog> container,
           OutputDirectory& directory, std::string out_name, std::string err_name,
           TailOptions options)
    : source_(std::move(source)),
      container_(std::move(container)),
      directory_(directory),
      options_(options),
      base_(options.start),
      written_(options.start),
      durable_(options.start) {
  outputs_[0].base_name = std::move(out_name);
  outputs_[1].base_name = std::move(err_name);
}

// --- looking

void Tail::publish(std::uint64_t size, bool changed, MonotonicTime now) {
  size_ = size;
  source_->size = size;
  source_->safe = earlier_ + durable_;
  source_->seen = earlier_ + std::max(size, written_);
  if (changed) source_->changed_at = now;
}

void Tail::look() {
  const auto fd = source_->descriptor();
  struct stat file {};
  if (!fd || ::fstat(fd->get(), &file) != 0) return;
  source_->seen = earlier_ + std::max(static_cast<std::uint64_t>(file.st_size), written_);
}

bool Tail::caught_up() const { return settled_ && written_ == durable_ && size_ == written_; }

Result<bool> Tail::copy(TailBuffers& buffers, std::size_t budget, MonotonicTime now) {
  const auto fd = source_->descriptor();
  if (!fd) return false;
  struct stat file {};
  if (::fstat(fd->get(), &file) != 0)
    return tl::unexpected(os::errno_error(errno, "looking at " + source_->path));
  const auto size = static_cast<std::uint64_t>(file.st_size);
  const std::int64_t modified = file.st_mtim.tv_sec * 1'000'000'000LL + file.st_mtim.tv_nsec;
  unlinked_ = file.st_nlink == 0;
  publish(size, size != size_ || modified != source_->modified_ns, now);
  source_->modified_ns = modified;
  if (!settled_) HIVE_TRY(settle(fd->get(), size));
  if (size == written_ && modified == modified_ns_) {
    source_->looked_at = now;
    return false;
  }
  if (size < written_) HIVE_TRY(restart(fd->get(), size, buffers));
  HIVE_ASSIGN(Pump pumped, pump(fd->get(), buffers, budget, false));
  if (pumped == Pump::kReplaced) {
    HIVE_TRY(restart(fd->get(), size, buffers));
    HIVE_ASSIGN(pumped, pump(fd->get(), buffers, budget, false));
  }
  publish(std::max(size, written_), false, now);
  if (pumped != Pump::kEnd) return true;
  modified_ns_ = modified;
  source_->looked_at = now;
  return false;
}

Result<bool> Tail::finish(TailBuffers& buffers, std::size_t budget, MonotonicTime now) {
  HIVE_ASSIGN(const bool more, copy(buffers, budget, now));
  const auto fd = source_->descriptor();
  if (more || !fd || !is_json() || size_ == written_) return more;
  HIVE_ASSIGN(const Pump pumped, pump(fd->get(), buffers, budget, true));
  publish(std::max(size_, written_), false, now);
  return pumped == Pump::kMore;
}

void Tail::park() {
  source_->set_descriptor(os::UniqueFd());
  source_->parked = true;
  for (Output& output : outputs_) output.file.reset();
}

// --- carrying

void Tail::remember(std::string_view data) {
  if (data.size() >= kCheckBytes)
    check_.clear();
  else if (check_.size() + data.size() > kCheckBytes)
    check_.erase(0, check_.size() + data.size() - kCheckBytes);
  check_.append(data.substr(before(data.size(), kCheckBytes)));
}

void Tail::advance(std::string_view data) {
  if (base_ == 0 && written_ < kHeadBytes) {
    std::string head = source_->head();
    head.append(data.substr(0, kHeadBytes - written_));
    source_->set_head(std::move(head));
  }
  remember(data);
  written_ += data.size();
}

Result<Tail::Pump> Tail::pump(int fd, TailBuffers& buffers, std::size_t budget, bool to_the_end) {
  std::size_t done = 0;
  while (done < budget) {
    // The bytes before are read again: they tell when the file is not the one that it was.
    const std::size_t overlap = check_.size();
    const ssize_t got = ::pread(fd, buffers.bytes.data(), buffers.bytes.size(),
                                static_cast<off_t>(written_ - overlap));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected(os::errno_error(errno, "reading " + source_->path));
    const std::string_view read(buffers.bytes.data(), static_cast<std::size_t>(got));
    if (!read.starts_with(check_)) return Pump::kReplaced;
    std::string_view data = read.substr(overlap);
    if (restarted_ && !data.empty()) {
      // A writer that kept its place left a hole before it.
      const std::size_t zeros = std::min(data.find_first_not_of('\0'), data.size());
      advance(data.substr(0, zeros));
      base_ = durable_ = written_;
      data.remove_prefix(zeros);
      done += zeros;
      if (data.empty()) continue;
      restarted_ = false;
      check_.clear();
      source_->set_head("");
    }
    if (data.empty()) return Pump::kEnd;
    const std::uint64_t from = written_;
    const bool full = read.size() == buffers.bytes.size();
    if (is_json())
      HIVE_TRY(put_json(data, to_the_end || full, buffers));
    else
      HIVE_TRY(put_plain(data));
    if (!recorded_) return Pump::kMore;
    if (written_ == from) return Pump::kEnd;  // an unfinished line
    done += static_cast<std::size_t>(written_ - from);
  }
  return Pump::kMore;
}

Status Tail::put_plain(std::string_view data) {
  Output& output = outputs_[0];
  while (!data.empty()) {
    HIVE_TRY(open_output(output));
    if (!recorded_) return {};
    std::size_t take = data.size();
    bool last = false;
    const std::uint64_t room =
        options_.segment_bytes - std::min(options_.segment_bytes, output.bytes);
    if (data.size() > room) {
      const std::size_t newline = data.find('\n', static_cast<std::size_t>(room));
      last = newline != std::string_view::npos;
      if (last) take = newline + 1;
    }
    HIVE_ASSIGN(const std::size_t put, append(output, data.substr(0, take)));
    advance(data.substr(0, put));
    data.remove_prefix(put);
    if (last && put == take) {
      HIVE_TRY(continue_in_another(output));
      base_ = written_;
    }
  }
  return {};
}

Status Tail::put_json(std::string_view data, bool whole, TailBuffers& buffers) {
  buffers.out.clear();
  buffers.err.clear();
  std::size_t taken = decode_json_file(data, buffers.out, buffers.err);
  if (taken == 0 && whole) {  // no line of docker's is so long, or its writer is gone
    buffers.out = data;
    taken = data.size();
  }
  const std::array<std::string_view, 2> texts{buffers.out, buffers.err};
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (!texts[i].empty()) HIVE_TRY(open_output(outputs_[i]));
  if (!recorded_) return {};
  const std::array<std::uint64_t, 2> before{outputs_[0].bytes, outputs_[1].bytes};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (std::string_view text = texts[i]; !text.empty();) {
      const auto put = append(outputs_[i], text);
      if (put) {
        text.remove_prefix(*put);
        continue;
      }
      // Both or neither: the position in the source stands for both.
      for (std::size_t k = 0; k < outputs_.size(); ++k) {
        if (outputs_[k].bytes != before[k]) outputs_[k].cut_due = true;
        outputs_[k].bytes = before[k];
      }
      return tl::unexpected(put.error());
    }
  }
  advance(data.substr(0, taken));
  if (outputs_[0].bytes < options_.segment_bytes && outputs_[1].bytes < options_.segment_bytes)
    return {};
  HIVE_TRY(sync());
  for (Output& output : outputs_)
    if (output.bytes >= options_.segment_bytes) HIVE_TRY(continue_in_another(output));
  return {};
}

Result<std::size_t> Tail::append(Output& output, std::string_view data) {
  if (output.cut_due) {
    HIVE_TRY(output.file->cut(output.bytes));
    output.cut_due = false;
  }
  HIVE_ASSIGN(const std::size_t put, output.file->append(data));
  output.bytes += put;
  appended_ += put;
  return put;
}

Status Tail::open_output(Output& output) {
  if (output.file) return {};
  if (!output.name.empty()) {
    auto file = directory_.open(output.name);
    if (file) {
      output.file = std::move(*file);
      output.cut_due = true;
      return {};
    }
    if (file.error().code != Errc::kNotFound) return tl::unexpected(file.error());
    // Somebody removed it; all that was in it was durable. What comes now begins another.
    output = Output{.base_name = output.base_name};
    base_ = written_;
  }
  for (int generation = 1; generation <= kMaxGenerations; ++generation) {
    std::string name = generation_name(output.base_name, generation);
    auto file = directory_.create(name);
    if (!file && file.error().code == Errc::kAlreadyExists) continue;
    if (!file) return tl::unexpected(file.error());
    output.file = std::move(*file);
    output.name = std::move(name);
    recorded_ = false;
    return {};
  }
  return fail(Errc::kResourceExhausted, "too many files called " + output.base_name);
}

// --- durability

Status Tail::sync_output(Output& output) {
  if (output.name.empty() || output.durable == output.bytes) return {};
  return output.file->sync();
}

Status Tail::sync() {
  for (Output& output : outputs_) {
    Status synced = sync_output(output);
    if (synced) continue;
    back_to_durable();
    return synced;
  }
  for (Output& output : outputs_) output.durable = output.bytes;
  durable_ = written_;
  durable_check_ = check_;
  source_->safe = earlier_ + durable_;
  return {};
}

// A failed fsync may have dropped what was written since the last one: it is read again.
void Tail::back_to_durable() {
  for (Output& output : outputs_) {
    if (output.bytes != output.durable) output.cut_due = true;
    output.bytes = output.durable;
    output.file.reset();
  }
  written_ = durable_;
  check_ = durable_check_;
  modified_ns_ = -1;
}

Status Tail::continue_in_another(Output& output) {
  HIVE_TRY(sync());
  output = Output{.base_name = output.base_name};
  return {};
}

// --- truncation

bool Tail::holds(int fd, std::uint64_t size) const {
  if (size >= written_) return read_at(fd, written_ - check_.size(), check_.size()) == check_;
  // Shorter than what was carried: it agrees with the destination then.
  if (is_json() || !outputs_[0].file || size <= base_) return false;
  return agree(*outputs_[0].file, size - base_, fd, base_).value_or(false);
}

Status Tail::rescue(TailBuffers& buffers) {
  const auto copy = find_copy(*source_->root, source_->path, source_->id, source_->head(),
                              [this](int fd, std::uint64_t size) { return holds(fd, size); });
  const std::string name = task_name(container_->container());
  if (!copy) {
    events_.push_back({"log_file_truncated", name,
                       fmt::format("{} was truncated after {} bytes of it were read; lines written "
                                   "just before, if there were any, are lost",
                                   source_->path, written_)});
    return {};
  }
  // It goes where the rest of the file went.
  const std::uint64_t segment_bytes = std::exchange(options_.segment_bytes, UINT64_MAX);
  Result<Pump> pumped = Pump::kMore;
  while (pumped && *pumped == Pump::kMore && recorded_)
    pumped = pump(copy->fd.get(), buffers, buffers.bytes.size(), true);
  options_.segment_bytes = segment_bytes;
  if (!pumped) return tl::unexpected(pumped.error());
  container_->set_copy(copy->id);
  return {};
}

Status Tail::restart(int fd, std::uint64_t size, TailBuffers& buffers) {
  if (written_ > base_) HIVE_TRY(rescue(buffers));
  HIVE_TRY(sync());
  earlier_ += durable_;
  for (Output& output : outputs_) output = Output{.base_name = output.base_name};
  check_.clear();
  durable_check_.clear();
  source_->set_head("");
  const off_t data = size == 0 ? 0 : ::lseek(fd, 0, SEEK_DATA);
  base_ = written_ = durable_ = data > 0 ? static_cast<std::uint64_t>(data) : 0;
  restarted_ = true;
  ++source_->restarts;
  return {};
}

// --- going on where an earlier collector stopped

Status Tail::settle(int fd, std::uint64_t size) {
  if (resume_) {
    HIVE_ASSIGN(const bool same, settle_at(*resume_, fd, size));
    if (!same) {
      // Another file by the same name or inode: it begins at its beginning.
      for (Output& output : outputs_) output = Output{.base_name = output.base_name};
      base_ = written_ = durable_ = 0;
      check_.clear();
      durable_check_.clear();
    }
  } else if (options_.adopt && !is_json() && options_.start == 0) {
    HIVE_TRY(adopt(fd, size));
  }
  settled_ = true;
  resume_.reset();
  modified_ns_ = -1;
  return {};
}

Result<bool> Tail::settle_at(const Position& position, int fd, std::uint64_t size) {
  base_ = position.base;
  if (position.out.name.empty() && position.err.name.empty()) {
    written_ = durable_ = position.offset;
    return size >= position.offset;
  }
  return is_json() ? settle_json(position, fd, size) : settle_plain(position, fd, size);
}

Result<bool> Tail::settle_plain(const Position& position, int fd, std::uint64_t size) {
  Output& output = outputs_[0];
  auto file = directory_.open(position.out.name);
  if (!file && file.error().code == Errc::kNotFound) return false;
  if (!file) return tl::unexpected(file.error());
  HIVE_ASSIGN(const std::uint64_t there, (*file)->size());
  // Written and not yet recorded, or else as recorded.
  for (const std::uint64_t bytes : {there, position.out.bytes}) {
    if (bytes > there || position.base + bytes > size || bytes == 0) continue;
    HIVE_ASSIGN(const bool same, agree(**file, bytes, fd, position.base));
    if (!same) continue;
    output.name = position.out.name;
    output.file = std::move(*file);
    output.bytes = bytes;
    output.durable = std::min(bytes, position.out.bytes);
    output.cut_due = bytes < there;
    written_ = position.base + bytes;
    durable_ = position.base + output.durable;
    check_ =
        read_at(fd, before(written_, kCheckBytes), std::min<std::uint64_t>(written_, kCheckBytes));
    durable_check_ =
        read_at(fd, before(durable_, kCheckBytes), std::min<std::uint64_t>(durable_, kCheckBytes));
    source_->set_head(read_at(fd, 0, std::min<std::uint64_t>(written_, kHeadBytes)));
    return true;
  }
  return false;
}

Result<bool> Tail::settle_json(const Position& position, int fd, std::uint64_t size) {
  const std::uint64_t from = before(position.offset, position.check.size() / 2);
  const std::string check = read_at(fd, from, position.offset - from);
  if (size < position.offset || hex(check) != position.check) return false;
  const std::array<OutputPosition, 2> kept{position.out, position.err};
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i].name.empty()) continue;
    auto file = directory_.open(kept[i].name);
    if (!file && file.error().code == Errc::kNotFound) continue;  // removed: begins another
    if (!file) return tl::unexpected(file.error());
    Output& output = outputs_[i];
    output.name = kept[i].name;
    output.file = std::move(*file);
    output.bytes = output.durable = kept[i].bytes;
    output.cut_due = true;
  }
  written_ = durable_ = position.offset;
  check_ = durable_check_ = check;
  source_->set_head(read_at(fd, 0, std::min<std::uint64_t>(written_, kHeadBytes)));
  return true;
}

Status Tail::adopt(int fd, std::uint64_t size) {
  for (int generation = 1; generation <= kMaxGenerations; ++generation) {
    const std::string name = generation_name(outputs_[0].base_name, generation);
    const auto file = directory_.open(name);
    if (!file)
      return file.error().code == Errc::kNotFound ? Status{} : tl::unexpected(file.error());
    HIVE_ASSIGN(const std::uint64_t there, (*file)->size());
    if (there == 0 || there > size) continue;
    HIVE_ASSIGN(const std::string begin, (*file)->read(0, kCompareBytes));
    if (read_at(fd, 0, begin.size()) != begin) continue;
    HIVE_ASSIGN(const bool same, settle_plain({.path = source_->path, .out = {name, 0}}, fd, size));
    if (same) return {};
  }
  return {};
}

// --- for the record

Position Tail::position() const {
  if (!settled_ && resume_) return *resume_;
  Position at{.path = source_->path, .id = source_->id, .offset = durable_, .base = base_};
  at.check = hex(durable_check_);
  at.out = {outputs_[0].name, outputs_[0].durable};
  at.err = {outputs_[1].name, outputs_[1].durable};
  return at;
}

std::vector<std::string> Tail::outputs() const {
  std::vector<std::string> names;
  for (const Output& output : outputs_)
    if (!output.name.empty()) names.push_back(output.name);
  if (resume_) names.push_back(resume_->out.name);
  return names;
}

}  // namespace hive::logs
