"""The tests of Haven; they mirror the rooms of the house, plus contracts, fakes and system."""
