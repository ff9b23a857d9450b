#include "cloud/local/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/random.h"
#include "os/file.h"

namespace hive::cloud::local {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LocalState : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hive-state-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    ::setenv("HIVE_STATE_DIR", (directory / "lib").c_str(), 1);
    ::setenv("HIVE_RUN_DIR", (directory / "run").c_str(), 1);
    paths = paths_of("shop").value();
    record.id = "i-0a1b2c3d";
    record.hostname = "shop-worker-1";
    record.role = "worker";
    record.address = "10.77.3.11";
    record.token = "t";
    record.host_number = 11;
    record.state = InstanceState::kRunning;
    record.launched_unix_ms = 1'700'000'000'000;
    record.pid = 4711;
    record.start_time = 99;
  }
  void TearDown() override {
    ::unsetenv("HIVE_STATE_DIR");
    ::unsetenv("HIVE_RUN_DIR");
    std::filesystem::remove_all(directory);
  }
  std::filesystem::path file() const { return paths.instance(record.id) / "instance.json"; }
  void write(const std::filesystem::path& path, const std::string& text) {
    ASSERT_TRUE(os::make_directories(path.parent_path(), 0700));
    ASSERT_TRUE(os::write_file_atomically(path, text, 0600));
  }

  std::filesystem::path directory;
  Paths paths;
  InstanceRecord record;
};

TEST_F(LocalState, AnInstanceComesBackAsItWasWritten) {
  ASSERT_TRUE(save_instance(paths, record));
  const auto read = load_instance(paths, record.id);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->hostname, record.hostname);
  EXPECT_EQ(read->role, record.role);
  EXPECT_EQ(read->address, record.address);
  EXPECT_EQ(read->token, record.token);
  EXPECT_EQ(read->host_number, record.host_number);
  EXPECT_EQ(read->state, record.state);
  EXPECT_EQ(read->launched_unix_ms, record.launched_unix_ms);
  EXPECT_EQ(read->pid, record.pid);
  EXPECT_EQ(read->start_time, record.start_time);
}

TEST_F(LocalState, DamagedRecordsAreNamedWithTheWayOut) {
  ASSERT_TRUE(save_instance(paths, record));
  for (const char* text :
       {"", "{", "null", "[]", "\xff\xfe", R"({"id": "i-other", "address": "10.77.3.11"})",
        R"({"id": "i-0a1b2c3d"})"}) {
    write(file(), text);
    const auto read = load_instance(paths, record.id);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::kCorrupt) << text;
    EXPECT_THAT(read.error().message, HasSubstr(file().string()));
    EXPECT_THAT(read.error().message, HasSubstr("hive down --cluster shop"));
    EXPECT_FALSE(load_instances(paths));
  }
}

// A write that was cut off at any place, or bits that turned: an error or a record, never a crash.
TEST_F(LocalState, AnyDamageIsAnErrorOrAWholeRecord) {
  ASSERT_TRUE(save_instance(paths, record));
  const std::string whole = os::read_file(file()).value();
  const std::uint64_t seed = 20'261'129;
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  for (int i = 0; i < 500; ++i) {
    std::string text = whole;
    if (i % 2 == 0) {
      text.resize(random.below(text.size()));
    } else {
      for (int k = 0; k < 3; ++k)
        text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    write(file(), text);
    const auto read = load_instance(paths, record.id);
    if (read)
      EXPECT_EQ(read->id, record.id);
    else
      EXPECT_EQ(read.error().code, Errc::kCorrupt) << describe(read.error());
  }
}

TEST_F(LocalState, AStateThatIsNotKnownCountsAsStopped) {
  write(file(), R"({"id": "i-0a1b2c3d", "address": "10.77.3.11", "state": "hibernating"})");
  EXPECT_EQ(load_instance(paths, record.id)->state, InstanceState::kStopped);
}

TEST_F(LocalState, ADirectoryWithoutARecordWasNeverStarted) {
  ASSERT_TRUE(save_instance(paths, record));
  ASSERT_TRUE(os::make_directories(paths.instance("i-cut-off"), 0700));
  const auto all = load_instances(paths);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->front().id, record.id);
}

TEST_F(LocalState, AClusterComesBackWithWhatFollowsFromIt) {
  LocalCluster cluster;
  cluster.name = "shop";
  cluster.network = 7;
  cluster.registry_user = "hive";
  cluster.registry_password = "secret";
  ASSERT_TRUE(os::make_directories(paths.state, 0700));
  ASSERT_TRUE(save_cluster(paths, cluster));
  const auto read = read_cluster("shop");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->bridge, "hivebr7");
  EXPECT_EQ(read->gateway, "10.77.7.1");
  EXPECT_EQ(read->subnet, "10.77.7.0/24");
  EXPECT_EQ(read->registry_password, "secret");
  EXPECT_THAT(*list_clusters(), ElementsAre("shop"));
}

TEST_F(LocalState, AClusterThatIsNotThereAndOneThatIsDamagedAreTold) {
  EXPECT_EQ(read_cluster("shop").error().code, Errc::kNotFound);
  for (const char* text :
       {"x", R"({"name": "other", "network": 1, "registry_password": "p"})",
        R"({"name": "shop", "network": 256, "registry_password": "p"})",
        R"({"name": "shop", "registry_password": "p"})", R"({"name": "shop", "network": 1})"}) {
    write(paths.cluster_file(), text);
    EXPECT_EQ(read_cluster("shop").error().code, Errc::kCorrupt) << text;
  }
}

TEST_F(LocalState, NamesThatAreNoClustersAreRefused) {
  for (const char* name : {"", "Shop", "1shop", "shop-", "-shop", "a/b", "..", "a b", "sh\u00f6p",
                           "abcdefghijklmnopqrstuvwxyzabcdef"})
    EXPECT_EQ(paths_of(name).error().code, Errc::kInvalidArgument) << name;
  for (const char* name : {"a", "shop-2", "abcdefghijklmnopqrstuvwxyzabcde"})
    EXPECT_TRUE(paths_of(name)) << name;
}

TEST_F(LocalState, MarksTellClustersApartThatDifferInNameOrPlaceAlone) {
  const auto other = paths_of("shop2").value();
  Paths elsewhere = paths;
  elsewhere.state = "/elsewhere/shop";
  for (const auto& one : {other, elsewhere}) {
    EXPECT_NE(environment_mark(paths), environment_mark(one));
    EXPECT_NE(bridge_mark(paths), bridge_mark(one));
    EXPECT_NE(firewall_mark(paths), firewall_mark(one));
    EXPECT_NE(cgroup_place(paths), cgroup_place(one));
  }
}

}  // namespace
}  // namespace hive::cloud::local
