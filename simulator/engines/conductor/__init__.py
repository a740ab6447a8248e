"""The conductor: plays a schedule of the explorer's on an engine, one choice after the other, in its order.

    packets       what the network of a conducted cloud holds, each until it is its turn
    connections   a device's connection, which comes and goes when it is told to
    devices       our own device, whose hardware and timers go on when they are told to
    venues        a conducted cloud: in virtual time, and over real MQTT
    expected      what is to be seen after a choice, and how what is seen compares
    sight         what is seen, and how long it is looked for
    conducting    each choice is made to happen, and waited for
    replaying     a whole schedule, from switching on to the verdict

The explorer's own world says what each choice leads to: what the cloud and the device tell, what is in flight after it,
which timers run, how the hardware stands. All of that must be seen before the next choice, or the two part there.
"""
