"""The benchmarks: what they are judged by holds, and what they print is right."""
