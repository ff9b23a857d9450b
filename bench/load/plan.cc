#include "load/plan.h"

#include <fmt/core.h>

#include <cstdlib>
#include <numeric>

#include "base/text.h"

namespace hive::bench {
namespace {

constexpr std::array<std::string_view, kKinds> kNames{"get", "keepalive", "post", "slow",
                                                      "download"};
constexpr std::uint64_t kSlowFromMs = 100;
constexpr std::uint64_t kSlowToMs = 5'000;
constexpr std::uint64_t kDownloadFromKib = 256;
constexpr std::uint64_t kDownloadToKib = 4'096;
constexpr std::uint64_t kPostFromBytes = 16;
constexpr std::uint64_t kPostToBytes = 16'384;

std::uint64_t between(Random& random, std::uint64_t from, std::uint64_t to) {
  return from + random.below(to - from + 1);
}

}  // namespace

std::string_view to_string(Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

Result<Mix> parse_mix(std::string_view text) {
  Mix out{};
  for (const auto& part : split(text, ',')) {
    const auto colon = part.find(':');
    const std::string name = part.substr(0, colon);
    std::size_t kind = 0;
    while (kind < kKinds && kNames[kind] != name) ++kind;
    const double share =
        colon == std::string::npos ? -1 : std::strtod(part.c_str() + colon + 1, nullptr);
    if (kind == kKinds || share < 0)
      return fail(Errc::kInvalidArgument,
                  fmt::format("\"{}\" is no share of a mix; write KIND:SHARE with get, keepalive, "
                              "post, slow or download",
                              part));
    out[kind] = share;
  }
  if (std::accumulate(out.begin(), out.end(), 0.0) <= 0)
    return fail(Errc::kInvalidArgument, "the mix has no share above 0");
  return out;
}

Plan::Plan(std::uint64_t seed, double rate_per_s, Mix mix, std::string id_prefix)
    : random_(seed), rate_(rate_per_s), mix_(mix), prefix_(std::move(id_prefix)) {}

Kind Plan::draw_kind() {
  double point = random_.unit() * std::accumulate(mix_.begin(), mix_.end(), 0.0);
  for (std::size_t kind = 0; kind + 1 < kKinds; ++kind) {
    if (point < mix_[kind]) return static_cast<Kind>(kind);
    point -= mix_[kind];
  }
  return static_cast<Kind>(kKinds - 1);
}

Planned Plan::next() {
  Planned out;
  out.number = number_++;
  out.kind = draw_kind();
  out.due = std::chrono::microseconds(
      static_cast<std::int64_t>(static_cast<double>(out.number) * 1e6 / rate_));
  out.id = fmt::format("{}-{:07d}", prefix_, out.number);
  out.target = "/?id=" + out.id;
  if (out.kind == Kind::kPost) {
    out.method = "POST";
    out.target = "/echo?id=" + out.id;
    const auto size = between(random_, kPostFromBytes, kPostToBytes);
    while (out.body.size() < size)
      out.body += fmt::format("{} {:x}\n", out.id, random_.below(1ULL << 62U));
    out.body.resize(size);
  } else if (out.kind == Kind::kSlow) {
    out.target = fmt::format("/slow?ms={}&id={}", between(random_, kSlowFromMs, kSlowToMs), out.id);
  } else if (out.kind == Kind::kDownload) {
    const auto kib = between(random_, kDownloadFromKib, kDownloadToKib);
    out.target = fmt::format("/download?kib={}&id={}", kib, out.id);
    out.download = kib * 1024;
  }
  return out;
}

}  // namespace hive::bench
