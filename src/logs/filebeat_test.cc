// Proof of delivery from Filebeat's registry. The registries are written here, as the documented
// format has it; e2e/filebeat_test.py does the same with a real Filebeat where there is one.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "logs/filebeat_registry.h"
#include "logs/filebeat_stats.h"
#include "logs/testing/collector_fixture.h"

namespace hive::logs {
namespace {

class Filebeat : public testing::CollectorFixture {
 protected:
  void SetUp() override {
    CollectorFixture::SetUp();
    std::filesystem::create_directories(store());
    write("meta.json", R"({"version":"1"})");
  }
  std::filesystem::path store() const { return base_ / "root/data/registry/filebeat"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(store() / name, std::ios::trunc) << text;
  }
  void set(std::uint64_t id, const std::string& key, const std::string& value) const {
    append(store() / "log.json", fmt::format("{{\"op\":\"set\",\"id\":{}}}\n", id));
    append(store() / "log.json", fmt::format("{{\"k\":\"{}\",\"v\":{}}}\n", key, value));
  }
  Result<FilebeatRegistry> registry() const {
    const auto root = ContainerRoot::of_directory((base_ / "root").string());
    return read_filebeat_registry(*root, "/data/registry/filebeat");
  }
  static std::string native(const std::filesystem::path& path) {
    struct stat file {};
    EXPECT_EQ(::stat(path.c_str(), &file), 0);
    return fmt::format("{}-{}", file.st_ino, file.st_dev);
  }
  // As input `log` and as input `filestream` write it.
  static std::string log_value(const std::string& path, std::uint64_t offset) {
    return fmt::format(
        R"({{"id":"native::1-2","source":"{}","offset":{},"timestamp":[1,2],"ttl":-1,"type":"log",)"
        R"("FileStateOS":{{"inode":1,"device":2}},"identifier_name":"native"}})",
        path, offset);
  }
  static std::string stream_value(const std::string& path, std::uint64_t offset,
                                  const std::string& more = "") {
    return fmt::format(R"({{"ttl":1800000000000,"updated":[1,2],"cursor":{{"offset":{}}},)"
                       R"("meta":{{"source":"{}","identifier_name":"native"{}}}}})",
                       offset, path, more);
  }
  AcknowledgedFile acknowledged_of(const std::string& name) const {
    const os::UniqueFd fd(::open(source(name).c_str(), O_RDONLY));
    struct stat file {};
    EXPECT_EQ(::fstat(fd.get(), &file), 0);
    const auto known = registry();
    EXPECT_TRUE(known.has_value()) << known.error().message;
    return acknowledged(
        *known, {"/logs/" + name, id_of(file), static_cast<std::uint64_t>(file.st_size), fd.get()});
  }
  WatchedContainer shipped() const {
    WatchedContainer out = container();
    out.policy.filebeat = model::FilebeatPlace{.registry = "/data/registry/filebeat"};
    return out;
  }
};

TEST_F(Filebeat, LogInputIsFoundByInodeAndDevice) {
  append(source("a.log"), "one\ntwo\n");
  set(1, "filebeat::logs::native::" + native(source("a.log")), log_value("/elsewhere", 8));
  EXPECT_EQ(acknowledged_of("a.log").why, "");
  append(source("a.log"), "three\n");
  const AcknowledgedFile behind = acknowledged_of("a.log");
  EXPECT_EQ(behind.bytes, 8U);
  EXPECT_FALSE(behind.never);
  EXPECT_NE(behind.why, "");
}

TEST_F(Filebeat, FilestreamIsFoundByNativeIdentityAndByFingerprint) {
  append(source("a.log"), "one\n");
  set(1, "filestream::shop::native::" + native(source("a.log")), stream_value("/logs/a.log", 4));
  EXPECT_EQ(acknowledged_of("a.log").why, "");

  const std::string text(2'000, 'x');
  append(source("b.log"), text + "\n");
  set(2, "filestream::shop::fingerprint::" + sha256_hex(std::string_view(text).substr(0, 1'024)),
      stream_value("/logs/renamed.log", 2'001));
  EXPECT_EQ(acknowledged_of("b.log").why, "");
  set(3, "filestream::shop::fingerprint::" + std::string(64, '0'),
      stream_value("/logs/b.log", 2'001));
  EXPECT_EQ(acknowledged_of("b.log").why, "") << "another file of that name says nothing";
}

TEST_F(Filebeat, GrowingFingerprintIsTheBeginningItself) {
  append(source("a.log"), "line one\n");
  set(1, "filestream::efp::fingerprint::" + std::string(64, 'f'),
      stream_value("/x", 9, R"(,"fingerprint":"6c696e65206f6e650a")"));
  EXPECT_EQ(acknowledged_of("a.log").why, "");
}

TEST_F(Filebeat, AnotherInodeOfThatNameProvesNothing) {
  append(source("a.log"), "one\n");
  set(1, "filebeat::logs::native::999999999-1", log_value("/logs/a.log", 4));
  EXPECT_EQ(acknowledged_of("a.log").why, "not in Filebeat's registry");
  struct stat file {};
  ASSERT_EQ(::stat(source("a.log").c_str(), &file), 0);
  set(2, fmt::format("filebeat::logs::native::{}-1", file.st_ino), log_value("/logs/a.log", 4));
  EXPECT_EQ(acknowledged_of("a.log").why, "") << "the same below another mount";
}

TEST_F(Filebeat, PathIdentityIsFoundByItsSource) {
  append(source("a.log"), "one\n");
  set(1, "filestream::shop::path::/logs/a.log", stream_value("/logs/a.log", 4));
  EXPECT_EQ(acknowledged_of("a.log").why, "");
}

TEST_F(Filebeat, CheckpointThenLogAndOlderOperationsAreSkipped) {
  append(source("a.log"), "one\ntwo\n");
  const std::string key = "filebeat::logs::native::" + native(source("a.log"));
  const auto checkpoint = [&](std::uint64_t id, std::uint64_t offset) {
    std::string value = log_value("/logs/a.log", offset);
    value.insert(1, fmt::format("\"_key\":\"{}\",", key));
    write(fmt::format("{}.json", id), "[\n" + value + "\n]");
  };
  checkpoint(5, 1);
  checkpoint(12, 4);
  set(11, key, log_value("/logs/a.log", 8));
  EXPECT_EQ(acknowledged_of("a.log").bytes, 4U) << "older than the checkpoint";
  set(13, key, log_value("/logs/a.log", 6));
  EXPECT_EQ(acknowledged_of("a.log").bytes, 6U);
  set(15, key, log_value("/logs/a.log", 8));
  EXPECT_EQ(acknowledged_of("a.log").bytes, 6U) << "behind a gap";
}

TEST_F(Filebeat, RemovalIsARemoval) {
  append(source("a.log"), "one\n");
  const std::string key = "filebeat::logs::native::" + native(source("a.log"));
  set(1, key, log_value("/logs/a.log", 4));
  append(store() / "log.json", "{\"op\":\"remove\",\"id\":2}\n{\"k\":\"" + key + "\"}\n");
  EXPECT_EQ(acknowledged_of("a.log").why, "not in Filebeat's registry");
}

TEST_F(Filebeat, HalfWrittenOperationsAreNotYetThere) {
  append(source("a.log"), "one\n");
  const std::string key = "filebeat::logs::native::" + native(source("a.log"));
  set(1, key, log_value("/logs/a.log", 2));
  set(2, key, log_value("/logs/a.log", 4));
  const std::string whole = read(store() / "log.json");
  const auto first = whole.find("{\"op\":\"set\",\"id\":2}");
  for (std::size_t length = first; length < whole.size(); ++length) {
    write("log.json", whole.substr(0, length));
    EXPECT_EQ(acknowledged_of("a.log").bytes, 2U) << length;
  }
  write("log.json", whole);
  EXPECT_EQ(acknowledged_of("a.log").bytes, 4U);
}

TEST_F(Filebeat, WhatIsNoRegistryIsSaidAndProvesNothing) {
  EXPECT_TRUE(registry().has_value()) << "one without any file yet";
  write("7.json", R"([{"_key":"filebeat::logs::native::1-2",)");
  EXPECT_EQ(registry().error().code, Errc::kCorrupt);
  std::filesystem::remove(store() / "7.json");
  write("meta.json", R"({"version":"2"})");
  EXPECT_EQ(registry().error().code, Errc::kCorrupt);
  std::filesystem::remove(store() / "meta.json");
  EXPECT_EQ(registry().error().code, Errc::kNotFound);
  EXPECT_NE(registry().error().message.find("no meta.json"), std::string::npos);
}

TEST_F(Filebeat, Case4_OffsetBeyondTheEndProvesNothing) {
  append(source("a.log"), "new\n");
  set(1, "filebeat::logs::native::" + native(source("a.log")), log_value("/logs/a.log", 4'000));
  const AcknowledgedFile known = acknowledged_of("a.log");
  EXPECT_EQ(known.bytes, 0U);
  EXPECT_NE(known.why.find("4000 of 4 bytes"), std::string::npos);
}

TEST_F(Filebeat, Case5_LastLineWithoutNewlineAndShortFilesAreCollectedInstead) {
  append(source("a.log"), "one\nlast without newline");
  append(source("short.log"), "under 1024 bytes\n");
  const std::string text(2'000, 'x');
  append(source("long.log"), text);
  set(1, "filebeat::logs::native::" + native(source("a.log")), log_value("/logs/a.log", 4));
  set(2, "filestream::shop::fingerprint::" + sha256_hex(std::string_view(text).substr(0, 1'024)),
      stream_value("/logs/long.log", 2'000));
  EXPECT_TRUE(acknowledged_of("a.log").never);
  EXPECT_TRUE(acknowledged_of("short.log").never);
  collector_->watch(shipped());
  EXPECT_FALSE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), "<absent>") << "nobody waits for it yet";
  collector_->hurry("c1");
  turn();
  turn();
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), "last without newline");
  EXPECT_EQ(read(stored("logs/short.log")), "under 1024 bytes\n");
  EXPECT_EQ(read(stored("logs/long.log")), "<absent>");
}

TEST_F(Filebeat, ProofComesWithTheAcknowledgementAndStaysWhenTheFileIsForgotten) {
  append(source("a.log"), "one\n");
  collector_->watch(shipped());
  EXPECT_FALSE(proven());
  ASSERT_EQ(collector_->delivery("c1").undelivered.size(), 1U);
  EXPECT_EQ(collector_->delivery("c1").undelivered[0].why, "not in Filebeat's registry");
  collector_->hurry("c1");
  const std::string key = "filebeat::logs::native::" + native(source("a.log"));
  set(1, key, log_value("/logs/a.log", 4));
  EXPECT_TRUE(proven());
  std::filesystem::remove(source("a.log"));
  append(store() / "log.json", "{\"op\":\"remove\",\"id\":2}\n{\"k\":\"" + key + "\"}\n");
  EXPECT_TRUE(proven());
}

TEST_F(Filebeat, Case1_FilebeatKilledBetweenReadAndAcknowledgement) {
  append(source("a.log"), "one\ntwo\n");
  set(1, "filebeat::logs::native::" + native(source("a.log")), log_value("/logs/a.log", 4));
  collector_->watch(shipped());
  collector_->hurry("c1");
  EXPECT_FALSE(proven());
  EXPECT_EQ(collector_->delivery("c1").bytes_missing(), 4U);
}

TEST_F(Filebeat, Case3_ContainerGoneBeforeFilebeatWasDone) {
  append(source("a.log"), "one\ntwo\n");
  set(1, "filebeat::logs::native::" + native(source("a.log")), log_value("/logs/a.log", 4));
  collector_->watch(shipped());
  turn();
  std::filesystem::remove_all(base_ / "root");
  collector_->finish("c1");
  turn();
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), "two\n");
}

TEST_F(Filebeat, Case8_BacklogIsSpilledFromTheAcknowledgedPlaceOn) {
  append(source("a.log"), "one\ntwo\nthree\n");
  set(1, "filebeat::logs::native::" + native(source("a.log")), log_value("/logs/a.log", 4));
  collector_->watch(shipped());
  collector_->hurry("c1");
  EXPECT_FALSE(proven());
  collector_->spill("c1");
  turn();
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), "two\nthree\n");
  append(source("a.log"), "four\n");
  EXPECT_TRUE(proven());
  EXPECT_EQ(read(stored("logs/a.log")), "two\nthree\nfour\n");
}

constexpr const char* kStats =
    R"({{"libbeat":{{"pipeline":{{"events":{{"active":{}}}}},"output":{{"events":{{"dropped":{}}}}}}}}})";

TEST(FilebeatStats, AreReadOrRefused) {
  const auto stats = parse_filebeat_stats(fmt::format(kStats, 3, 7));
  ASSERT_TRUE(stats.has_value());
  EXPECT_EQ(stats->active, 3U);
  EXPECT_EQ(stats->dropped, 7U);
  EXPECT_EQ(parse_filebeat_stats("{}").error().code, Errc::kCorrupt);
}

// Acknowledged in the registry counts what the output dropped, too.
TEST_F(Filebeat, Case6_EventsThatTheReceiverRefusedAreNoDelivery) {
  append(source("a.log"), "one\n");
  std::string answer = fmt::format(kStats, 0, 2);
  std::vector<LogEvent> events;
  Prover prover(
      {.on_spill = [](const auto&, const auto&) {},
       .on_event = [&](LogEvent event) { events.push_back(std::move(event)); },
       .get_stats = [&](const std::string&, int) -> Result<std::string> { return answer; }},
      clock_);
  WatchedContainer where = shipped();
  where.policy.filebeat->stats_url = "http://127.0.0.1:5066/stats";
  const auto log = std::make_shared<ContainerLog>(where);
  struct stat file {};
  ASSERT_EQ(::stat(source("a.log").c_str(), &file), 0);
  const auto root =
      std::make_shared<const ContainerRoot>(*ContainerRoot::of_directory(where.upper_dir));
  const auto one =
      std::make_shared<SourceFile>("/logs/a.log", id_of(file), SourceKind::kFile, root);
  one->set_descriptor(*root->open("/logs/a.log"));
  log->add(one);
  log->found_at = clock_.now() + std::chrono::hours(1);
  prover.add(log, {one});
  set(1, "filebeat::logs::native::" + native(source("a.log")), log_value("/logs/a.log", 4));
  const auto proven_now = [&] {
    clock_.advance(Milliseconds(11'000));
    prover.turn();
    return log->delivery().proven(clock_.now() - Milliseconds(1));
  };
  EXPECT_TRUE(proven_now()) << "what was dropped before is not of this";
  answer = fmt::format(kStats, 0, 3);
  EXPECT_TRUE(proven_now()) << "nobody waits: it is said, once";
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, "filebeat_dropped");
  log->hurry = true;
  answer = fmt::format(kStats, 5, 3);
  EXPECT_FALSE(proven_now()) << "events are on their way";
  answer = fmt::format(kStats, 0, 4);
  EXPECT_FALSE(proven_now());
  EXPECT_EQ(log->delivery().undelivered.at(0).why, "Filebeat's output dropped 1 events");
  answer = fmt::format(kStats, 0, 3);
  EXPECT_TRUE(proven_now());
}

}  // namespace
}  // namespace hive::logs
