//! The forms: what they refuse, what they tell, what they hide.
