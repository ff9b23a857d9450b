// Figures over real sockets: a server that answers well, with garbage, by half, or never.
#include "controller/metric_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <mutex>

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

// What a server answers, which a thread of it may still be saying when the next is set.
class Said {
 public:
  Said& operator=(Reply reply) {
    const std::lock_guard lock(mutex_);
    reply_ = std::move(reply);
    return *this;
  }
  Reply get() const {
    const std::lock_guard lock(mutex_);
    return reply_;
  }

 private:
  mutable std::mutex mutex_;
  Reply reply_ = answer(200, "jobs 3\n");
};

class MetricWatchTest : public ::testing::Test {
 protected:
  MetricWatchTest()
      : server_(ScriptedServer::Kind::kTcp,
                [this](const ScriptedRequest&) {
                  if (meanwhile_) meanwhile_();
                  return reply_.get();
                }),
        source_{"http://127.0.0.1:" + std::to_string(server_.port()), "/metrics", "jobs", {}} {}

  MetricReading look(int seconds = 20) { return look(watch_, seconds); }
  MetricReading look(MetricWatch& watch, int seconds = 20) {
    clock_.advance(Milliseconds(1'000 * seconds));
    watch.ask({source_});
    watch.look();
    return watch.read(source_);
  }

  Said reply_;
  std::function<void()> meanwhile_;  // before an answer
  ManualClock clock_;
  ScriptedServer server_;
  MetricSource source_;
  MetricWatch watch_{clock_, {.deadline = Milliseconds(60'000), .max_bytes = 1'000}};
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
      {{{"nonsense\r\n\r\n"}, Reply::Then::kClose}, ""}};
  for (const auto& [reply, why] : bad) {
    reply_ = reply;
    const auto reading = look();
    EXPECT_EQ(reading.value, 3) << why;
    EXPECT_EQ(reading.at, at) << why;
    EXPECT_THAT(reading.trouble, HasSubstr(why));
    EXPECT_THAT(reading.trouble, HasSubstr("GET " + source_.base_url + "/metrics: "));
  }
  reply_ = answer(200, "jobs 5\n");
  EXPECT_EQ(look().value, 5);
}

TEST_F(MetricWatchTest, WhatHangsIsGivenUp) {
  MetricWatch hasty(clock_, {.deadline = Milliseconds(300), .max_bytes = 1'000});
  MetricReading well;
  // A machine at its limits may need more than that for a good answer, too.
  for (int i = 0; i < 100 && !well.value; ++i) well = look(hasty);
  ASSERT_EQ(well.value, 3);
  const Reply hanging[] = {{{"HTTP/1.1 200 OK\r\n"}, Reply::Then::kHang}, {{}, Reply::Then::kHang}};
  for (const Reply& reply : hanging) {
    reply_ = reply;
    const auto reading = look(hasty);
    EXPECT_EQ(reading.value, 3);
    EXPECT_EQ(reading.at, well.at);
    EXPECT_THAT(reading.trouble, HasSubstr("no answer within 300 ms"));
  }
}

TEST_F(MetricWatchTest, WhatFailsAgainAndAgainIsAskedLessOften) {
  reply_ = answer(500, "");
  const auto asked_after = [&](int seconds) {
    const auto before = server_.requests().size();
    look(seconds);
    return server_.requests().size() - before;
  };
  look();
  EXPECT_EQ(asked_after(2), 1U) << "one failure is none";
  EXPECT_EQ(asked_after(2), 1U);
  EXPECT_EQ(asked_after(9), 0U) << "after the third it has a pause";
  EXPECT_EQ(asked_after(1), 1U);
  reply_ = answer(200, "jobs 3\n");
  EXPECT_EQ(asked_after(10), 1U);
  EXPECT_EQ(asked_after(2), 1U) << "it is well again";
}

TEST_F(MetricWatchTest, OneFetchServesAllFiguresOfAPage) {
  const MetricSource other{source_.base_url, source_.path, "others", {}};
  const MetricSource elsewhere{source_.base_url, "/else", "jobs", {}};
  watch_.ask({source_, other, elsewhere});
  watch_.look();
  EXPECT_THAT(server_.requests(), SizeIs(2));
  EXPECT_EQ(watch_.read(source_).value, 3);
  EXPECT_THAT(watch_.read(other).trouble, HasSubstr("no series of others"));
}

TEST_F(MetricWatchTest, OfACounterTheRateIsKnown) {
  const auto told = [&](int count, int seconds) {
    reply_ = answer(200, "# TYPE jobs counter\njobs " + std::to_string(count) + "\n");
    return look(seconds);
  };
  EXPECT_THAT(told(1'000, 2).trouble, HasSubstr("at the second reading"));
  EXPECT_EQ(told(1'000, 2).value, 0);
  EXPECT_EQ(told(1'050, 5).value, 10);
  EXPECT_EQ(told(1'050, 2).value, 0);
  const auto anew = told(3, 2);
  EXPECT_THAT(anew.trouble, HasSubstr("began anew"));
  EXPECT_NE(anew.at, clock_.now()) << "the last rate keeps its time";
  EXPECT_EQ(told(23, 2).value, 10);
  EXPECT_THAT(told(1'000'000, 61).trouble, HasSubstr("at the second reading"));
}

TEST_F(MetricWatchTest, ATextsOwnTimesAreItsAge) {
  const auto now_ms = [&] {
    return std::chrono::duration_cast<Milliseconds>(clock_.wall_now().time_since_epoch()).count();
  };
  const auto age_of = [&](const std::string& time) {
    reply_ = answer(200, "jobs 3 " + time + "\n");
    const auto reading = look(20);
    EXPECT_EQ(reading.value, 3) << reading.trouble;
    return std::chrono::duration<double>(clock_.now() - reading.at).count();
  };
  EXPECT_EQ(age_of(std::to_string(now_ms() + 20'000 - 7'500)), 7.5);
  EXPECT_EQ(age_of(std::to_string(now_ms() + 60'000)), 0) << "their clock is ahead";
  EXPECT_EQ(age_of("0"), 86'400) << "a day stands for more";
  EXPECT_EQ(age_of("-9223372036854775808"), 86'400);
  EXPECT_EQ(age_of("9223372036854775807"), 0);
}

TEST_F(MetricWatchTest, TooManySourcesAreLeftOut) {
  MetricWatch few(clock_, {.max_sources = 1});
  const MetricSource other{source_.base_url, "/z", "jobs", {}};
  few.ask({source_, other});
  few.look();
  EXPECT_THAT(server_.requests(), SizeIs(1));
  EXPECT_EQ(few.read(other).value, std::nullopt);
}

TEST_F(MetricWatchTest, WhatNobodyWantsIsForgotten) {
  look();
  watch_.ask({});
  EXPECT_EQ(watch_.read(source_).value, std::nullopt);
}

TEST_F(MetricWatchTest, WhatIsNotWantedAnyMoreWhenItComesIsForgotten) {
  meanwhile_ = [this] { watch_.ask({}); };
  EXPECT_EQ(look().value, std::nullopt);
  clock_.advance(Milliseconds(20'000));
  watch_.look();
  EXPECT_THAT(server_.requests(), SizeIs(1)) << "it is not asked for ever";
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
  EXPECT_TRUE(told.whole);
  EXPECT_EQ(told.trouble, "");
}

TEST_F(MetricSignalTest, APortIsOneOfTcpOnTheNode) {
  for (auto& task : tasks_) {
    task.ports[0].protocol = "udp";
    task.ports[0].target = 8'080;
  }
  EXPECT_EQ(sources()[0], source_);
  metric_.port = 0;
  EXPECT_EQ(sources()[0], source_) << "the first that can be asked";
}

// A replica that was not asked yet has no load made up for it: each that starts would order more.
TEST_F(MetricSignalTest, WhatIsNotKnownOrdersNothing) {
  look();
  const MetricSource silent{"http://127.0.0.1:1", "/metrics", "jobs", {}};
  const MetricSource other{"http://127.0.0.1:2", "/metrics", "jobs", {}};
  const auto half = metric_signal(&watch_, {source_, silent}, 2, clock_.now());
  EXPECT_EQ(half.signal.value, 3) << "there is at least this";
  EXPECT_FALSE(half.whole);
  EXPECT_THAT(half.trouble, HasSubstr("not all of it"));
  const auto few = metric_signal(&watch_, {source_, silent, other}, 3, clock_.now());
  EXPECT_EQ(few.signal.value, std::nullopt);
  EXPECT_FALSE(few.whole);
  EXPECT_EQ(metric_signal(nullptr, {source_}, 1, clock_.now()).signal.value, std::nullopt);
}

TEST_F(MetricSignalTest, AnOldOneIsShownWithItsAgeAndDoesNotCount) {
  look();
  clock_.advance(Milliseconds(5'001));
  const auto told = metric_signal(&watch_, sources(), 3, clock_.now());
  EXPECT_EQ(told.signal.value, 9);
  EXPECT_GT(told.signal.age_s, decide::autoscale::kFreshSeconds);
  EXPECT_FALSE(told.whole);
  EXPECT_THAT(told.trouble, HasSubstr("5 s ago"));
}

TEST_F(MetricSignalTest, APortThatIsNotPublishedIsSaid) {
  metric_.port = 9'999;
  EXPECT_THAT(sources(), SizeIs(0));
  EXPECT_THAT(metric_signal(&watch_, {}, 3, clock_.now()).trouble,
              HasSubstr("3 of 3 tasks have not published the port"));
  const auto none = metric_signal(&watch_, {}, 0, clock_.now());
  EXPECT_EQ(none.trouble, "no task serves");
  EXPECT_FALSE(none.whole);
}

}  // namespace
}  // namespace hive::controller
