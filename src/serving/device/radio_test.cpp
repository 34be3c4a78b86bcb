#include "serving/device/radio.h"

#include <gtest/gtest.h>

#include "serving/device/radio_link.h"
#include "serving/device/testing/phone.h"

namespace presil::serving {
namespace {

using testing::ms;
using testing::plain_radio;

const std::filesystem::path kHome = PRESIL_SOURCE_DIR;

Radio read(const std::string& text) {
  return read_radio(
      parse_document(std::make_shared<Source>(Source{"radio.yaml", text}), Syntax::yaml));
}

TEST(Radio, EveryShippedRadioIsReadAndNamesItsSources) {
  for (const char* name : {"5g", "lte", "wifi", "wifi-edge", "fibre"}) {
    const Radio radio = load_radio(name, kHome);
    EXPECT_EQ(radio.name, name);
    for (const char* field : {"latency", "up", "down", "loss", "active", "promotion", "tail"}) {
      EXPECT_NE(source_of(radio.sources, field), nullptr) << name << ": " << field;
    }
  }
}

TEST(Radio, ARadioThatIsNotThereIsNamed) {
  EXPECT_THROW(load_radio("6g", kHome), MissingInput);
}

TEST(Radio, AMissingUnitIsRefusedAtItsPlace) {
  try {
    read(
        "presil: radio/1\nname: r\nlatency: 15\nup: 1 Mb/s\ndown: 1 Mb/s\n"
        "promotion: {time: 1 ms, power: 1 W}\ntail: {time: 1 ms, power: 1 W}\n");
    FAIL();
  } catch (const InputError& e) {
    EXPECT_EQ(e.diagnostics().front().line, 3);
    EXPECT_EQ(e.diagnostics().front().column, 10);
  }
}

TEST(Radio, BytesTakeTheirTimeAndLossTakesMore) {
  Radio radio = plain_radio();
  EXPECT_EQ(airtime(radio, Direction::up, Bytes(1000)), ms(1));  // 8,000 bits at 8 Mb/s
  radio.loss = 0.5;
  EXPECT_EQ(airtime(radio, Direction::up, Bytes(1000)), ms(2));  // each packet goes twice
}

TEST(Radio, ALostPacketComesTwoRoundTripsLaterAndAsOftenAsTheyAreLost) {
  Radio radio = plain_radio();
  radio.loss = 0.1;
  std::int64_t late = 0;
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const Nanoseconds time = travel(radio, Bytes(100), Draws(1, 2, i));
    const std::int64_t resends = (time - ms(20)).count() / ms(80).count();
    EXPECT_EQ(time, ms(20) + ms(80) * resends);
    late += resends > 0 ? 1 : 0;
  }
  // Binomial(20000, 0.1): mean 2000, standard deviation 42.4; four of them allowed.
  EXPECT_NEAR(static_cast<double>(late), 2000, 170);
}

TEST(RadioLink, ConnectsOnceThenMessagesFollowEachOther) {
  RadioLink link(plain_radio());
  Message a;
  a.bytes = Bytes(1000);
  EXPECT_EQ(link.send(Direction::up, a, ms(0)), ms(101));  // 100 ms to connect, 1 ms of bytes
  EXPECT_FALSE(link.send(Direction::up, a, ms(50)));
  EXPECT_EQ(link.ended(Direction::up, ms(101)).next, ms(102));
  link.ended(Direction::up, ms(102));
  EXPECT_EQ(link.send(Direction::down, a, ms(1000)), ms(1001));  // still connected
  link.ended(Direction::down, ms(1001));
  EXPECT_EQ(link.idle_from(), ms(2001));
  EXPECT_EQ(link.moved(Direction::up), Bytes(2000));
}

TEST(RadioLink, DrawsWhatItsStateDraws) {
  RadioLink link(plain_radio());
  EXPECT_DOUBLE_EQ(link.power(ms(0)).count(), 0.01);
  Message m;
  m.bytes = Bytes(1000);
  link.send(Direction::up, m, ms(0));
  EXPECT_DOUBLE_EQ(link.power(ms(0)).count(), 1);  // connecting
  EXPECT_EQ(link.changes_at(ms(0)), ms(100));
  EXPECT_DOUBLE_EQ(link.power(ms(100)).count(), 2.5);  // 1.5 W, and 8 Mb/s of 1 J/MB
  link.ended(Direction::up, ms(101));
  EXPECT_DOUBLE_EQ(link.power(ms(101)).count(), 1);
  EXPECT_EQ(link.changes_at(ms(101)), ms(1101));
  EXPECT_DOUBLE_EQ(link.power(ms(1101)).count(), 0.01);
}

}  // namespace
}  // namespace presil::serving
