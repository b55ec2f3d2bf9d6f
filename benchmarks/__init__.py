"""
Micro-benchmarks, judged by ratios within one run.
"""
