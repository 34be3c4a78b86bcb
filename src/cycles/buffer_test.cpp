#include "cycles/buffer.h"

#include <gtest/gtest.h>

namespace presil {
namespace {

TEST(Buffer, HasRoomUntilItIsFull) {
  Buffer buffer(100);
  buffer.take(60);

  EXPECT_EQ(buffer.room_for(40), Picoseconds(0));
  EXPECT_EQ(buffer.room_for(41), kForever);  // nobody knows when the 60 go
}

TEST(Buffer, RoomComesWhenTheOldestPiecesAreFree) {
  Buffer buffer(100);
  buffer.take(60);
  buffer.take(40);
  buffer.release(60, Picoseconds(500));

  EXPECT_EQ(buffer.room_for(60), Picoseconds(500));
  EXPECT_EQ(buffer.room_for(61), kForever);
  buffer.release(40, Picoseconds(300));  // free before the older piece, but behind it
  EXPECT_EQ(buffer.room_for(100), Picoseconds(500));
}

TEST(Buffer, WhatIsTakenLaterWaitsNoLess) {
  Buffer buffer(100);
  buffer.take(100);
  buffer.release(100, Picoseconds(500));
  buffer.take(10);

  EXPECT_EQ(buffer.room_for(90), Picoseconds(500));
}

TEST(Buffer, APieceLargerThanTheBufferWaitsUntilItIsEmpty) {
  Buffer buffer(100);
  buffer.take(10);
  EXPECT_EQ(buffer.room_for(1000), kForever);
  buffer.release(10, Picoseconds(700));

  EXPECT_EQ(buffer.room_for(1000), Picoseconds(700));
}

}  // namespace
}  // namespace presil
