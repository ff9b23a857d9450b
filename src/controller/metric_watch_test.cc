// Figures over real sockets: a server that answers well, with garbage, by half, or never.
#include "controller/metric_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/autoscale_metrics.h"
#include "net/testing/scripted_server.h"

namespace hive::controller {
namespace {

using net::testing::answer;
using net::testing::Reply;
using net::testing::ScriptedRequest;
using net::testing::ScriptedServer;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class MetricWatchTest : public ::testing::Test {
 protected:
  MetricWatchTest()
      : server_(ScriptedServer::Kind::kTcp, [this](const ScriptedRequest&) { return reply_; }),
        source_{"http://127.0.0.1:" + std::to_string(server_.port()), "/metrics", "jobs", {}} {}

  MetricReading look() {
    clock_.advance(Milliseconds(20'000));
    watch_.ask({source_});
    watch_.look();
    return watch_.read(source_);
  }

  Reply reply_ = answer(200, "jobs 3\n");
  ManualClock clock_;
  ScriptedServer server_;
  MetricSource source_;
  MetricWatch watch_{clock_, {.deadline = Milliseconds(300), .max_bytes = 1'000}};
};

TEST_F(MetricWatchTest, ReadsAndKeepsTheTime) {
  const auto reading = look();
  EXPECT_EQ(reading.value, 3);
  EXPECT_EQ(reading.at, clock_.now());
  EXPECT_EQ(reading.trouble, "");
  EXPECT_EQ(server_.requests().front().path, "/metrics");
  clock_.advance(Milliseconds(1'000));
  watch_.look();
  EXPECT_THAT(server_.requests(), SizeIs(1)) << "it is not due";
  clock_.advance(Milliseconds(1'000));
  watch_.look();
  EXPECT_THAT(server_.requests(), SizeIs(2));
}

TEST_F(MetricWatchTest, WhatDoesNotAnswerWellKeepsTheLastValueAndItsTime) {
  look();
  const auto at = clock_.now();
  const std::pair<Reply, const char*> bad[] = {
      {answer(500, "jobs 4\n"), "HTTP status 500"},
      {answer(200, "<html>\n"), "line 1"},
      {answer(200, "jobs 4\njobs"), "cut off"},
      {answer(200, "others 4\n"), "no series of jobs"},
      {answer(200, "jobs NaN\n"), "no finite number"},
      {answer(200, "jobs 4\n# " + std::string(2'000, 'x') + "\n"), ""},
      {{{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\njobs 4\n"}, Reply::Then::kClose}, ""},
      {{{"nonsense\r\n\r\n"}, Reply::Then::kClose}, ""},
      {{{"HTTP/1.1 200 OK\r\n"}, Reply::Then::kHang}, ""},
      {{{}, Reply::Then::kHang}, ""}};
  for (const auto& [reply, why] : bad) {
    reply_ = reply;
    const auto reading = look();
    EXPECT_EQ(reading.value, 3) << why;
    EXPECT_EQ(reading.at, at) << why;
    EXPECT_THAT(reading.trouble, HasSubstr(why));
    EXPECT_THAT(reading.trouble, HasSubstr(source_.base_url + ": "));
  }
  reply_ = answer(200, "jobs 5\n");
  EXPECT_EQ(look().value, 5);
}

TEST_F(MetricWatchTest, WhatFailedIsAskedLessOften) {
  reply_ = answer(500, "");
  look();
  clock_.advance(Milliseconds(9'000));
  watch_.look();
  EXPECT_THAT(server_.requests(), SizeIs(1));
  clock_.advance(Milliseconds(1'000));
  watch_.look();
  EXPECT_THAT(server_.requests(), SizeIs(2));
}

TEST_F(MetricWatchTest, WhatNobodyWantsIsForgotten) {
  look();
  watch_.ask({});
  EXPECT_EQ(watch_.read(source_).value, std::nullopt);
}

TEST_F(MetricWatchTest, AQueryOfAServer) {
  const config::AutoscaleMetric metric{.name = "queue",
                                       .per_replica = 5,
                                       .metric = "",
                                       .labels = {},
                                       .port = 0,
                                       .path = "/metrics",
                                       .server = source_.base_url + "/",
                                       .query = "sum(a{b=\"c\"})"};
  const auto sources = metric_sources(metric, {}, {});
  ASSERT_THAT(sources, SizeIs(1));
  source_ = sources[0];
  reply_ = net::testing::json_answer(
      200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"42"]}})");
  EXPECT_EQ(look().value, 42);
  EXPECT_EQ(server_.requests().front().path, "/api/v1/query?query=sum%28a%7Bb%3D%22c%22%7D%29");
  EXPECT_EQ(metric_signal(&watch_, sources, 1, clock_.now()).signal.value, 42);
  // The server's own word, whatever the status.
  reply_ = net::testing::json_answer(400, R"({"status":"error","error":"parse error at 3"})");
  EXPECT_THAT(look().trouble, HasSubstr("parse error at 3"));
}

TEST_F(MetricWatchTest, ItsThreadsFetchByThemselves) {
  watch_.ask({source_});
  watch_.start();
  while (!watch_.read(source_).value) std::this_thread::yield();
  watch_.stop();
  EXPECT_EQ(watch_.read(source_).value, 3);
}

// --- the signal of a service

class MetricSignalTest : public MetricWatchTest {
 protected:
  MetricSignalTest() {
    auto& node = snapshot_.nodes["n"];
    node.id = "n";
    node.address = "127.0.0.1";
    for (int i = 0; i < 3; ++i) {
      model::Task task;
      task.id = "t" + std::to_string(i);
      task.node_id = "n";
      task.ports = {
          {"tcp", 9'000, 1, model::PublishMode::kHost},
          {"tcp", 8'080, static_cast<std::uint16_t>(server_.port()), model::PublishMode::kHost}};
      tasks_.push_back(task);
    }
    metric_.name = "jobs";
    metric_.port = 8'080;
  }
  std::vector<MetricSource> sources() {
    std::vector<const model::Task*> serving;
    for (const auto& task : tasks_) serving.push_back(&task);
    return metric_sources(metric_, serving, snapshot_);
  }

  model::Snapshot snapshot_;
  std::vector<model::Task> tasks_;
  config::AutoscaleMetric metric_;
};

TEST_F(MetricSignalTest, AddsUpWhatTasksSay) {
  ASSERT_THAT(sources(), SizeIs(3));
  EXPECT_EQ(sources()[0], source_);
  look();
  const auto told = metric_signal(&watch_, sources(), 3, clock_.now());
  EXPECT_EQ(told.signal.value, 9);
}

TEST_F(MetricSignalTest, FewOfThemAreNoSignal) {
  look();
  const MetricSource silent{"http://127.0.0.1:1", "/metrics", "jobs", {}};
  const MetricSource other{"http://127.0.0.1:2", "/metrics", "jobs", {}};
  EXPECT_EQ(metric_signal(&watch_, {source_, silent}, 2, clock_.now()).signal.value, 6)
      << "the other is taken to be like it";
  EXPECT_EQ(metric_signal(&watch_, {source_, silent, other}, 3, clock_.now()).signal.value,
            std::nullopt);
  EXPECT_EQ(metric_signal(nullptr, {source_}, 1, clock_.now()).signal.value, std::nullopt);
}

TEST_F(MetricSignalTest, AnOldOneIsNone) {
  look();
  clock_.advance(Milliseconds(5'001));
  const auto told = metric_signal(&watch_, sources(), 3, clock_.now());
  EXPECT_EQ(told.signal.value, std::nullopt);
  EXPECT_GT(told.signal.age_s, 5);
}

TEST_F(MetricSignalTest, APortThatIsNotPublishedIsSaid) {
  metric_.port = 9'999;
  EXPECT_THAT(sources(), SizeIs(0));
  EXPECT_THAT(metric_signal(&watch_, {}, 3, clock_.now()).trouble, HasSubstr("port published"));
}

}  // namespace
}  // namespace hive::controller
