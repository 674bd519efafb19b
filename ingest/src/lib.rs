//! The devices' doors and the one pipeline behind them: decide, accept, pack, publish, presence.
