"""Labelled traffic: invented companies, benign look-alikes, attacks; for tuning and for judging apart."""
