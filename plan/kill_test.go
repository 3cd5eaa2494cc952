package plan_test

const childEnv = "OMBUD_TEST_CHILD"

func child() int { return 0 }
