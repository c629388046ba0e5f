// What the simulator and the native golden model, which it loads, know of each other.
#pragma once

#include <stdint.h>

// A frame as the program sees it: cut and stripped, in the memory it was received in.
struct Packet {
    const uint8_t* data;
    uint32_t size, ingress_ifindex, rx_queue_index;
    uint16_t vlan_tci, vlan_proto;
    uint8_t tags;  // How many VLAN tags the receive hash may look behind.
    uint8_t bad;
};

// What must become of an admitted frame.
struct Judged {
    uint64_t r0;
    uint8_t verdict;
    uint8_t counter;  // Its place among the counters of the gate, of which `received` is the first.
    uint8_t leaves;
};

// The model of one gate around one program.
struct Native {
    uint32_t tuser_bytes;
    // A frame comes in. May move its bytes.
    void (*receive)(uint8_t* frame, uint32_t size, uint8_t err, uint32_t ingress_ifindex,
                    uint32_t rx_queue_index, struct Packet* packet);
    // s_axis_tuser of the frame's first beat, with 0 where the error bit belongs.
    void (*tuser)(const struct Packet* packet, uint8_t* to);
    // The tunables of the packets that are judged from now on.
    void (*tune)(const uint8_t* image);
    // Runs the program. 0 when it does what no verified program does.
    int (*judge)(const struct Packet* packet, uint64_t ktime, uint32_t number,
                 struct Judged* judged);
};
